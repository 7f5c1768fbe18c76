const MOST_CHARACTERS = 100

/** A name as a refusal repeats it: one that a user sends may be as long as a statement. */
export const shownName = (name: string): string =>
  name.length <= MOST_CHARACTERS ? name : `${name.slice(0, MOST_CHARACTERS)}…`
