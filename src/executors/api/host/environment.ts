type Environment = Record<string, string | undefined>

/** Sets an environment to exactly the wanted one, so that nothing an item set or deleted remains. */
export const replaceEnvironment = (environment: Environment, wanted: Readonly<Environment>): void => {
  for (const name of Object.keys(environment)) if (wanted[name] === undefined) delete environment[name]
  for (const [name, value] of Object.entries(wanted)) {
    if (value !== undefined && environment[name] !== value) environment[name] = value
  }
}
