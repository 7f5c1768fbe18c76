/** The `count` of a list, which is there when it was asked for. */
export const countWhen = async (
  asked: boolean | undefined,
  count: () => Promise<number>,
): Promise<{ readonly count?: number }> => (asked ? { count: await count() } : {})
