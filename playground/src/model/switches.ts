/** What the conditions of the decorated methods read at each call. The check boxes of the page set it. */
export const switches = {
  /** The feature layers do not learn. */
  frozen: false,
  /** The model only serves: its results have no graph. */
  serving: false,
  /** Drawing the decision surface records nothing. */
  quiet: true,
  /** Slopes of the output are computed for arrows on the surface. */
  arrows: true,
};

export type Switch = keyof typeof switches;
