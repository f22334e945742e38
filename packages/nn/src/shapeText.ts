/** The shape of a tensor as errors show it. */
export const shapeText = ({ shape }: { readonly shape: readonly number[] }): string => `[${shape.join(', ')}]`;
