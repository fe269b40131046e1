import { expect, test } from "vitest";
import { duplicateFields } from "./duplicate-fields.ts";

test.each([
  { text: '{"a":1,"b":{"a":2}}', found: [] },
  { text: '{"a":1,"a":2}', found: ["a"] },
  { text: '{"data":{"k":"1","k":"2"}}', found: ["data.k"] },
  { text: '{"l":[{"x":1},{"y":1,"y":2}]}', found: ["l[1].y"] },
  { text: '{"a":"\\"a\\":1, {","b":["a","a"]}', found: [] },
  { text: '{"\\u0061":1,"a":2}', found: ["a"] },
])("$text has $found twice (P-96)", ({ text, found }) => {
  expect(duplicateFields(text)).toEqual(found);
});
