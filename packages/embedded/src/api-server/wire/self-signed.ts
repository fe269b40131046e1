import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { type Random, rfc3339, type WallMs } from "@rouse/shared";

/** A private key and a certificate for it, both in PEM. */
export interface Identity {
  readonly key: string;
  readonly cert: string;
}

const VALID_MS = 10 * 365 * 86_400_000;
/** Clocks of clients may be a little behind. */
const VALID_BEFORE_MS = 3_600_000;

const OID = {
  ecdsaWithSha256: [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02],
  commonName: [0x55, 0x04, 0x03],
  basicConstraints: [0x55, 0x1d, 0x13],
  keyUsage: [0x55, 0x1d, 0x0f],
  extendedKeyUsage: [0x55, 0x1d, 0x25],
  subjectAltName: [0x55, 0x1d, 0x11],
  serverAuth: [0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x03, 0x01],
} as const;

/**
 * Makes a certificate that vouches for itself, for this machine's loopback names: what a client is given to trust is
 * exactly this server. ECDSA on P-256, written in DER (RFC 5280) by hand, since Node has no function for it.
 */
export function selfSigned(deps: { readonly now: WallMs; readonly random: Random }): Identity {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const tbs = certificateBody(publicKey, deps);
  const signature = sign("sha256", tbs, privateKey);
  const der = sequence(tbs, algorithm(), bitString(signature));
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return {
    key: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`,
  };
}

function certificateBody(
  publicKey: KeyObject,
  { now, random }: { readonly now: WallMs; readonly random: Random },
): Buffer {
  const name = sequence(set(sequence(oid(OID.commonName), tag(0x0c, Buffer.from("rouse")))));
  const serial = Buffer.from(
    Array.from({ length: 8 }, (_, index) => random.integer(index === 0 ? 1 : 0, 127)),
  );
  return sequence(
    tag(0xa0, integer(Buffer.from([2]))), // version 3
    integer(serial),
    algorithm(),
    name,
    sequence(time((now - VALID_BEFORE_MS) as WallMs), time((now + VALID_MS) as WallMs)),
    name,
    publicKey.export({ type: "spki", format: "der" }),
    tag(0xa3, sequence(...extensions())),
  );
}

function extensions(): readonly Buffer[] {
  const isTrue = tag(0x01, Buffer.from([0xff]));
  const names = sequence(
    tag(0x82, Buffer.from("localhost")),
    tag(0x87, Buffer.from([127, 0, 0, 1])),
    tag(0x87, Buffer.from([...Array.from({ length: 15 }, () => 0), 1])),
  );
  return [
    extension(OID.basicConstraints, sequence(isTrue), isTrue),
    // digitalSignature and keyCertSign: the last two bits of the byte are not used
    extension(OID.keyUsage, tag(0x03, Buffer.from([2, 0x84])), isTrue),
    extension(OID.extendedKeyUsage, sequence(oid(OID.serverAuth))),
    extension(OID.subjectAltName, names),
  ];
}

function extension(id: readonly number[], value: Buffer, ...critical: readonly Buffer[]): Buffer {
  return sequence(oid(id), ...critical, tag(0x04, value));
}

function algorithm(): Buffer {
  return sequence(oid(OID.ecdsaWithSha256));
}

/** UTCTime up to 2049, as RFC 5280 wants it, GeneralizedTime after. */
function time(at: WallMs): Buffer {
  const text = rfc3339(at).replaceAll(/[-:T]/g, "");
  return Number(text.slice(0, 4)) < 2050
    ? tag(0x17, Buffer.from(text.slice(2)))
    : tag(0x18, Buffer.from(text));
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tag(0x30, ...parts);
}

function set(...parts: readonly Buffer[]): Buffer {
  return tag(0x31, ...parts);
}

function integer(bytes: Buffer): Buffer {
  return tag(0x02, bytes);
}

function oid(bytes: readonly number[]): Buffer {
  return tag(0x06, Buffer.from(bytes));
}

function bitString(bytes: Buffer): Buffer {
  return tag(0x03, Buffer.from([0]), bytes);
}

function tag(number: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([number]), length(content.length), content]);
}

function length(bytes: number): Buffer {
  if (bytes < 0x80) return Buffer.from([bytes]);
  if (bytes < 0x100) return Buffer.from([0x81, bytes]);
  return Buffer.from([0x82, bytes >> 8, bytes & 0xff]);
}
