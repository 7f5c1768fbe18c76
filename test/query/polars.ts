type Polars = typeof import('nodejs-polars')['default']

/** nodejs-polars, or null where its native package for this machine is not installed. */
export const polars: Polars | null = await import('nodejs-polars').then(
  module => module.default,
  (error: Error) => {
    if (/Cannot find module 'nodejs-polars-/.test(error.message)) return null
    throw error
  },
)

/** What a test that is skipped for it says. */
export const WITHOUT_POLARS = polars === null ? ' (skipped: the native package of nodejs-polars is not installed)' : ''
