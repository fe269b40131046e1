import { X509Certificate } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Authority, type Clock, makeAuthority } from "@rouse/shared";

/** What clients are told to trust, and what signs for it; only the home's user may read the latter. */
const CERTIFICATE = "gateway-ca.crt";
const KEY = "gateway-ca.key";
/** Made anew when it ends within this. */
const RENEW_MS = 60 * 86_400_000;

/**
 * The authority that signs the gateway's certificates in this data directory: the same over restarts, so that who
 * trusts `gateway-ca.crt` goes on doing so.
 */
export async function openGatewayAuthority(clock: Clock, dataDir: string): Promise<Authority> {
  const [cert, key] = await Promise.all([textOf(join(dataDir, CERTIFICATE)), textOf(join(dataDir, KEY))]);
  if (cert !== undefined && key !== undefined && isGood(cert, clock.wall())) return { cert, key };
  const authority = makeAuthority(clock.wall());
  await mkdir(dataDir, { recursive: true });
  await write(join(dataDir, KEY), authority.key, 0o600);
  await write(join(dataDir, CERTIFICATE), authority.cert, 0o644);
  return authority;
}

function isGood(cert: string, now: number): boolean {
  try {
    return Date.parse(new X509Certificate(cert).validTo) - now > RENEW_MS;
  } catch {
    return false; // not a certificate: made anew
  }
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whole or not at all. */
async function write(path: string, text: string, mode: number): Promise<void> {
  await writeFile(`${path}.new`, text, { mode });
  await rename(`${path}.new`, path);
}
