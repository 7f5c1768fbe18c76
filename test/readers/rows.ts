/** Two rows with a column of each sort of type: the largest and oddest values, and missing ones. */
export const ROWS_SQL = `
  SELECT
    arrayJoin([1, 2])::UInt8 AS row,
    if(row = 1, 18446744073709551615, 0)::UInt64 AS large,
    if(row = 1, -9223372036854775808, 7)::Int64 AS signed,
    if(row = 1, nan, 0.5)::Float64 AS ratio,
    if(row = 1, 12345678901234.56, -0.01)::Decimal(18, 2) AS price,
    if(row = 1, 'Grüße, "Łódź" 🚂', '')::String AS text,
    if(row = 1, '2026-11-22', '1970-01-01')::Date AS day,
    if(row = 1, '2026-11-22 01:02:03', '1970-01-01 00:00:00')::DateTime('UTC') AS moment,
    if(row = 1, '2026-07-22 01:02:03.456', '1970-01-01 01:00:00')::DateTime64(3, 'Europe/Berlin') AS local,
    if(row = 1, NULL, 42)::Nullable(Int32) AS maybe,
    if(row = 1, [1, 2, 3], [])::Array(Int32) AS list,
    if(row = 1, 'one', 'two')::LowCardinality(String) AS word,
    (row = 1)::Bool AS flag,
    if(row = 1, '61f0c404-5cb3-11e7-907b-a6006ad3dba0', '00000000-0000-0000-0000-000000000000')::UUID AS id,
    if(row = 1, 'open', 'shut')::Enum8('open' = 1, 'shut' = 2) AS state,
    if(row = 1, '192.0.2.1', '0.0.0.0')::IPv4 AS address,
    if(row = 1, '-170141183460469231731687303715884105728', '1')::Int128 AS huge
  ORDER BY row`
