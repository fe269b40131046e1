import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
} from "node:crypto";
import { isIPv4 } from "node:net";
import type { ServerCertificate, WallMs } from "@rouse/shared";
import { bits, integer, objectId, octets, sequence, set, tagged, text, time, yes } from "./der.ts";

/** A private key and the certificate of it, in PEM. Whoever trusts the certificate trusts all it has issued. */
export type Authority = Pick<ServerCertificate, "cert" | "key">;

const DAY_MS = 86_400_000;
/** An authority is made once per home. */
const AUTHORITY_DAYS = 3_650;
/** The most that browsers take from anybody. */
const SERVER_DAYS = 397;
/** For clocks that are a little behind. */
const EARLIER_MS = 3_600_000;
const SERIAL_BYTES = 16;

const ECDSA_WITH_SHA256 = sequence(objectId("1.2.840.10045.4.3.2"));
const COMMON_NAME = objectId("2.5.4.3");
const AUTHORITY_NAME = "Rouse home";
/** Bits of KeyUsage, from the highest: digitalSignature; keyCertSign and cRLSign. RFC 5280 §4.2.1.3 */
const SIGNS = bits(Buffer.from([0x80]), 7);
const CERTIFIES = bits(Buffer.from([0x06]), 1);
const SERVER_AUTH = objectId("1.3.6.1.5.5.7.3.1");

/**
 * A new authority that vouches for itself. X.509 version 3 by hand: Node can read certificates and not write them, and
 * a library for one fixed shape of them would be the larger thing to trust.
 */
export function makeAuthority(now: WallMs): Authority {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const cert = certificate({ subject: AUTHORITY_NAME, publicKey, now, days: AUTHORITY_DAYS }, privateKey, [
    extension("2.5.29.19", sequence(yes), "critical"), // BasicConstraints: CA
    extension("2.5.29.15", CERTIFIES, "critical"),
    extension("2.5.29.14", octets(keyId(publicKey))),
  ]);
  return { cert, key: pem(privateKey) };
}

/** A certificate of a server for these names and addresses, with a key of its own, followed by the authority's. */
export function issueCertificate(
  authority: Authority,
  options: { readonly hosts: readonly string[]; readonly now: WallMs },
): Authority {
  const issuer = createPrivateKey(authority.key);
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const [subject = "server"] = options.hosts;
  const cert = certificate({ subject, publicKey, now: options.now, days: SERVER_DAYS }, issuer, [
    extension("2.5.29.19", sequence(), "critical"),
    extension("2.5.29.15", SIGNS, "critical"),
    extension("2.5.29.37", sequence(SERVER_AUTH)),
    extension("2.5.29.17", sequence(...options.hosts.map(alternativeName))),
    extension("2.5.29.35", sequence(tagged(0, keyId(createPublicKey(issuer)), "primitive"))),
  ]);
  return { cert: cert + authority.cert, key: pem(privateKey) };
}

interface Subject {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly now: WallMs;
  readonly days: number;
}

function certificate(
  { subject, publicKey, now, days }: Subject,
  issuer: KeyObject,
  extensions: readonly Buffer[],
): string {
  const start = (now - EARLIER_MS) as WallMs;
  const toBeSigned = sequence(
    tagged(0, integer(Buffer.from([2])), "constructed"), // version 3
    integer(serial()),
    ECDSA_WITH_SHA256,
    named(AUTHORITY_NAME),
    sequence(time(start), time((start + days * DAY_MS) as WallMs)),
    named(subject),
    publicKey.export({ type: "spki", format: "der" }),
    tagged(3, sequence(...extensions), "constructed"),
  );
  const signature = sign("sha256", toBeSigned, issuer);
  const der = sequence(toBeSigned, ECDSA_WITH_SHA256, bits(signature));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}

/** A common name holds 64 characters at most; who checks looks at the alternative names. RFC 5280, ub-common-name */
function named(name: string): Buffer {
  return sequence(set(sequence(COMMON_NAME, text(name.slice(0, 64)))));
}

/** Positive, and not zero. */
function serial(): Buffer {
  const bytes = randomBytes(SERIAL_BYTES);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return bytes;
}

function extension(id: string, value: Buffer, critical?: "critical"): Buffer {
  return sequence(objectId(id), ...(critical === undefined ? [] : [yes]), octets(value));
}

function alternativeName(host: string): Buffer {
  return isIPv4(host)
    ? tagged(7, Buffer.from(host.split(".").map(Number)), "primitive")
    : tagged(2, Buffer.from(host, "ascii"), "primitive");
}

/** RFC 5280 §4.2.1.2, method 1: SHA-1 names the key here and protects nothing. */
function keyId(publicKey: KeyObject): Buffer {
  const point = publicKey.export({ type: "spki", format: "der" }).subarray(-65); // uncompressed, the last thing in it
  return createHash("sha1").update(point).digest();
}

function pem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}
