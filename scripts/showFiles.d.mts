/** A page of the docs, with the blocks that show a file replaced by the files' current contents. */
export function withFiles(markdown: string): string;
