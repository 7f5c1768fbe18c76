import Type from 'typebox'

/** RFC 9457 with `code` and `hint` from the error registry. */
export const Problem = Type.Object(
  {
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'An error code, see docs/errors.md.' }),
    detail: Type.String(),
    hint: Type.String(),
    errors: Type.Array(Type.Object({ path: Type.String(), message: Type.String() })),
  },
  { title: 'Problem' },
)
