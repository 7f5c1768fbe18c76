/** So many characters in a row are a form and not chance: 30 bits. */
export const SURE = 5

/** What a line may begin with: a form from `offset` on. */
export type Rest = {
  readonly form: Buffer
  readonly offset: number
  /** So much of the form has been seen before that the rest, however short it is, is no chance. */
  readonly isSure: boolean
}

/** The base64 forms of secrets, found by their first characters and by those after a cut close to their beginning. */
export class WrappedForms {
  /** Of the longest form. */
  readonly longest: number
  /** How far a window of `SURE` bytes may move that ends with these two before it can be the beginning of a form. */
  readonly #shift = new Uint8Array(65536).fill(SURE - 1)
  readonly #starts = new Map<number, Rest[]>()
  readonly #rests = new Map<number, Rest[]>()

  constructor(forms: readonly Buffer[]) {
    this.longest = forms.reduce((length, form) => Math.max(length, form.length), 0)
    for (const form of forms) {
      addTo(this.#starts, { form, offset: 0, isSure: false })
      for (let offset = 1; offset < SURE; offset++) {
        addTo(this.#rests, { form, offset, isSure: false })
        const block = form.readUInt16LE(offset - 1)
        this.#shift[block] = Math.min(this.#shift[block]!, SURE - 1 - offset)
      }
    }
  }

  /** The first place from `from` on where a form may begin, with `SURE` bytes before `end`; `end` when there is none. */
  nextStart(data: Buffer, from: number, end: number): number {
    for (let last = from + SURE - 1; last < end; ) {
      const shift = this.#shift[data[last - 1]! | (data[last]! << 8)]!
      if (shift === 0) return last - SURE + 1
      last += shift
    }
    return end
  }

  /** Forms that may begin here, judged by four bytes, which must be there. */
  startsAt(data: Buffer, at: number): readonly Rest[] {
    return this.#starts.get(data.readUInt32LE(at)) ?? NONE
  }

  /** Forms that may go on here after fewer characters than are sure, judged by four bytes. */
  restsAt(data: Buffer, at: number): readonly Rest[] {
    return this.#rests.get(data.readUInt32LE(at)) ?? NONE
  }
}

const NONE: readonly Rest[] = []

const addTo = (rests: Map<number, Rest[]>, rest: Rest): void => {
  const key = rest.form.readUInt32LE(rest.offset)
  const others = rests.get(key)
  if (others === undefined) rests.set(key, [rest])
  else others.push(rest)
}
