import { mkdtempSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLogger } from "@rouse/shared";
import { CERTIFICATE_A, CERTIFICATE_B, VirtualClock } from "@rouse/shared/testing";
import { expect, onTestFinished, test } from "vitest";
import { type Certificate, CertificateFiles } from "./certificate-files.ts";

const MINUTE_MS = 60_000;

/** A directory with a pair, if one is given, and who watches it. */
function setUp(pair?: Certificate) {
  const path = mkdtempSync(join(tmpdir(), "rouse-certs-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  const put = ({ cert, key }: Certificate): void => {
    writeFileSync(join(path, "tls.crt"), cert);
    writeFileSync(join(path, "tls.key"), key);
  };
  if (pair !== undefined) put(pair);
  const clock = new VirtualClock();
  const said: string[] = [];
  const changes: string[] = [];
  const say = (line: string): void => void said.push(line);
  const open = () => {
    const opened = CertificateFiles.open(
      {
        clock,
        log: { ...silentLogger, info: say, error: say },
        changed: ({ cert }) => void changes.push(cert),
      },
      path,
    );
    if (opened !== undefined) onTestFinished(() => opened.files[Symbol.dispose]());
    return opened;
  };
  return { path, put, clock, said, changes, open };
}

test("Q-157: read again every minute, whether or not the system says that something changed; the same is no news", () => {
  const { put, clock, said, changes, open } = setUp(CERTIFICATE_A);
  const opened = open();
  expect(opened?.certificate?.cert).toBe(CERTIFICATE_A.cert);
  clock.advance(3 * MINUTE_MS);
  put(CERTIFICATE_A);
  clock.advance(MINUTE_MS);
  expect([changes, said]).toEqual([[], []]);
  put(CERTIFICATE_B); // no notice of it can arrive before the event loop turns
  clock.advance(MINUTE_MS);
  expect(changes).toEqual([CERTIFICATE_B.cert]);
  expect(said).toEqual(["Certificate and/or key have changed on disk and were reloaded."]);
  opened?.files[Symbol.dispose]();
  expect(clock.pendingTimers).toBe(0);
});

test("Q-157: half of a new pair, or none, leaves the old one in place until both are there", () => {
  const { path, put, clock, said, changes, open } = setUp(CERTIFICATE_A);
  open();
  writeFileSync(join(path, "tls.key"), CERTIFICATE_B.key);
  clock.advance(MINUTE_MS);
  expect([changes, said]).toEqual([[], ["failed to reload certificate and key; the old ones stay"]]);
  unlinkSync(join(path, "tls.crt"));
  clock.advance(MINUTE_MS);
  expect(changes).toEqual([]);
  put(CERTIFICATE_B);
  clock.advance(MINUTE_MS);
  expect(changes).toEqual([CERTIFICATE_B.cert]);
});

test("Q-156: no directory and no pair is no TLS; a pair that comes later is told (E-19)", () => {
  const { path, put, clock, changes, open } = setUp();
  expect(CertificateFiles.open({ clock, log: silentLogger, changed: () => {} }, join(path, "none"))).toBe(
    undefined,
  );
  writeFileSync(join(path, "tls.crt"), CERTIFICATE_A.cert);
  expect(open()?.certificate).toBe(undefined);
  put(CERTIFICATE_A);
  clock.advance(MINUTE_MS);
  expect(changes).toEqual([CERTIFICATE_A.cert]);
});

test("Q-156: what cannot be looked at is no reason to go on without TLS", () => {
  const { path, open } = setUp(CERTIFICATE_A);
  unlinkSync(join(path, "tls.key"));
  symlinkSync("tls.key", join(path, "tls.key"));
  expect(open).toThrow("ELOOP");
});
