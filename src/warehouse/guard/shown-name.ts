const MOST_CHARACTERS = 100

/** A name as shown in a refusal, shortened: users may send names as long as a statement. */
export const shownName = (name: string): string =>
  name.length <= MOST_CHARACTERS ? name : `${name.slice(0, MOST_CHARACTERS)}…`
