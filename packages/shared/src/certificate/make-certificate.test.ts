import { X509Certificate } from "node:crypto";
import { describe, expect, test } from "vitest";
import { parseRfc3339, type WallMs } from "../clock/clock.ts";
import { RealClock } from "../clock/real-clock.ts";
import { integer, objectId, time } from "./der.ts";
import { issueCertificate, makeAuthority } from "./make-certificate.ts";

const now = new RealClock().wall(); // a certificate is checked against the machine's own time

describe("DER", () => {
  test.each([
    { name: "small integer", der: integer(Buffer.from([5])), want: "020105" },
    { name: "an integer with its high bit set", der: integer(Buffer.from([0x80])), want: "02020080" },
    { name: "leading zeros", der: integer(Buffer.from([0, 0, 1])), want: "020101" },
    { name: "an object identifier", der: objectId("1.2.840.10045.4.3.2"), want: "06082a8648ce3d040302" },
    {
      name: "a time",
      der: time(at("2026-01-02T03:04:05Z")),
      want: `170d${ascii("260102030405Z")}`,
    },
    {
      name: "a time after 2049",
      der: time(at("2050-01-02T03:04:05Z")),
      want: `180f${ascii("20500102030405Z")}`,
    },
  ])("$name", ({ der, want }) => {
    expect(der.toString("hex")).toBe(want);
  });
});

describe("certificates", () => {
  test("an authority vouches for itself and for what it issues, for the names it says, for their time", () => {
    const authority = makeAuthority(now);
    const root = new X509Certificate(authority.cert);
    expect([root.ca, root.verify(root.publicKey), root.checkIssued(root)]).toEqual([true, true, true]);
    const long = `${"a".repeat(63)}.${"b".repeat(63)}.localhost`;
    const issued = issueCertificate(authority, { hosts: [long, "*.default.localhost", "127.0.0.1"], now });
    const leaf = new X509Certificate(issued.cert);
    expect([leaf.ca, leaf.verify(root.publicKey), leaf.checkIssued(root)]).toEqual([false, true, true]);
    expect(leaf.checkHost(long)).toBe(long);
    expect(leaf.checkHost("hello.default.localhost")).toBe("*.default.localhost");
    expect(leaf.checkHost("hello.other.localhost")).toBeUndefined();
    expect(leaf.checkIP("127.0.0.1")).toBe("127.0.0.1");
    expect(leaf.serialNumber).not.toBe(root.serialNumber);
    expect(leaf.validFromDate.getTime()).toBeLessThanOrEqual(now);
    expect((leaf.validToDate.getTime() - now) / 86_400_000).toBeCloseTo(397, 0);
  });

  test("the name of the authority is the issuer's, whatever it is called", () => {
    const authority = makeAuthority(now, "Somebody else");
    const issued = new X509Certificate(issueCertificate(authority, { hosts: ["a"], now, days: 30 }).cert);
    expect(issued.issuer).toBe("CN=Somebody else");
    expect(issued.checkIssued(new X509Certificate(authority.cert))).toBe(true);
    expect((issued.validToDate.getTime() - now) / 86_400_000).toBeCloseTo(30, 0);
  });
});

function ascii(text: string): string {
  return Buffer.from(text).toString("hex");
}

function at(text: string): WallMs {
  const wall = parseRfc3339(text);
  if (wall === undefined) throw new Error(text);
  return wall;
}
