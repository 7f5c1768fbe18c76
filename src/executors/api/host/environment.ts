type Environment = Record<string, string | undefined>

/** Makes an environment what it should be: of what an item set or deleted nothing stays. */
export const replaceEnvironment = (environment: Environment, wanted: Readonly<Environment>): void => {
  for (const name of Object.keys(environment)) if (wanted[name] === undefined) delete environment[name]
  for (const [name, value] of Object.entries(wanted)) {
    if (value !== undefined && environment[name] !== value) environment[name] = value
  }
}
