declare module 'asciichart' {
  const asciichart: {
    plot(lists: number[][], options: { height: number; colors: string[] }): string;
    blue: string;
    green: string;
    red: string;
    magenta: string;
    cyan: string;
    reset: string;
  };
  export default asciichart;
}
