import dns from 'node:dns'

/** Runs something as on a machine where `localhost` has two addresses (usually 127.0.0.1 and ::1), here 127.0.0.1 and 127.0.0.2. */
export const withTwoAddresses = async <T>(work: () => Promise<T>): Promise<T> => {
  const usual = dns.lookup
  const lookup = (name: string, _: object, answer: (error: null, found: readonly object[]) => void): void => {
    const addresses = name === 'localhost' ? ['127.0.0.1', '127.0.0.2'] : [name]
    answer(
      null,
      addresses.map(address => ({ address, family: 4 })),
    )
  }
  Object.assign(dns, { lookup })
  try {
    return await work()
  } finally {
    Object.assign(dns, { lookup: usual })
  }
}
