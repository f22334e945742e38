import { useData } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import { h, watchPostEffect } from 'vue';
import './style.css';

export default {
  extends: DefaultTheme,
  Layout: {
    setup() {
      const { frontmatter } = useData();
      // The default theme has a main landmark on all pages but the first.
      watchPostEffect(() => {
        const content = document.getElementById('VPContent');
        if (frontmatter.value['layout'] === 'home') content?.setAttribute('role', 'main');
        else content?.removeAttribute('role');
      });
      return () => h(DefaultTheme.Layout);
    },
  },
};
