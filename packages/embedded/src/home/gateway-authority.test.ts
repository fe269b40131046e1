import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { RealClock } from "@rouse/shared";
import { expect, onTestFinished, test } from "vitest";
import { openGatewayAuthority } from "./gateway-authority.ts";

test("an authority is the same over restarts, its key is its owner's alone, and a broken one is replaced", async () => {
  const directory = mkdtempSync(join(tmpdir(), "rouse-ca-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const clock = new RealClock();
  const first = await openGatewayAuthority(clock, directory);
  expect(statSync(join(directory, "gateway-ca.key")).mode & 0o777).toBe(0o600);
  expect(await openGatewayAuthority(clock, directory)).toEqual(first);
  writeFileSync(join(directory, "gateway-ca.crt"), "broken");
  expect((await openGatewayAuthority(clock, directory)).cert).not.toBe(first.cert);
});
