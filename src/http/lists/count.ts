/** The `count` of a list, if requested. */
export const countWhen = async (
  asked: boolean | undefined,
  count: () => Promise<number>,
): Promise<{ readonly count?: number }> => (asked ? { count: await count() } : {})
