import { STATUS_CODES } from "node:http";
import { expect, test } from "vitest";
import { reasonPhrase } from "./reason-phrase.ts";

test("every status has the name that Node has for it, and one without a name has none", () => {
  for (let status = 100; status < 600; status++)
    expect(reasonPhrase(status)).toBe(STATUS_CODES[status] ?? "");
});
