import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { bundlePath } from "../build/bundle-path.ts";
import { type BundledPackage, bundledPackages } from "./bundled-packages.ts";
import { sbom } from "./sbom.ts";
import { sharedLibraries } from "./shared-libraries.ts";

/** Where things are in an image. */
export const places = {
  node: "/nodejs/bin/node",
  app: "/app",
  sbom: "/usr/share/doc/rouse/sbom.cdx.json",
  licences: "/usr/share/doc/rouse/licenses",
} as const;

/** Neither root nor anybody the host knows. */
export const USER = 65_532;

const NOBODY_ELSE = {
  "/etc/passwd": `rouse:x:${USER}:${USER}:rouse:/:/sbin/nologin\n`,
  "/etc/group": `rouse:x:${USER}:\n`,
  // Without it the C library would ask for services nobody has.
  "/etc/nsswitch.conf": "hosts: files dns\n",
} as const;
/** A container runtime mounts these. */
const MOUNT_POINTS = ["/proc", "/dev", "/sys"] as const;

/**
 * Writes all files of one program's image below `out`: this very Node with the libraries it is linked to, the bundles,
 * who is who, licences and bill of materials. There is no shell and no package manager. The bundles have to be built.
 * @throws if a bundle is missing
 */
export function writeImageTree(root: string, program: string, out: string): void {
  const place = (path: string): string => {
    const target = join(out, path);
    mkdirSync(dirname(target), { recursive: true });
    return target;
  };
  const node = realpathSync(process.execPath);
  const libraries = sharedLibraries(node).map((path) => ({ path, from: realpathSync(path) }));
  cpSync(node, place(places.node));
  for (const { path, from } of libraries) cpSync(from, place(path));

  const dist = dirname(join(root, bundlePath(program)));
  const bundles = readdirSync(dist).filter((name) => name.endsWith(".cjs"));
  if (!bundles.includes("main.cjs")) throw new Error(`${program} is not built`);
  const caches = readdirSync(dist).filter((name) => name.endsWith(".cache")); // what V8 compiled of it before
  for (const name of [...bundles, ...caches]) cpSync(join(dist, name), place(`${places.app}/${name}`));

  for (const [path, text] of Object.entries(NOBODY_ELSE)) writeFileSync(place(path), text);
  for (const path of MOUNT_POINTS) mkdirSync(join(out, path), { recursive: true });

  const packages = once(bundles.flatMap((name) => bundledPackages(join(dist, name))));
  for (const { name, folder } of packages) {
    const licence = readdirSync(folder).find((file) => /^licen[cs]e/i.test(file));
    if (licence !== undefined) cpSync(join(folder, licence), place(`${places.licences}/${name}/${licence}`));
  }
  const ofNode = join(dirname(dirname(node)), "LICENSE");
  if (existsSync(ofNode)) cpSync(ofNode, place(`${places.licences}/node/LICENSE`));
  const version = versionOf(join(root, "packages", program, "package.json"));
  const contents = { program, version, packages, libraries };
  writeFileSync(
    place(places.sbom),
    sbom({ ...contents, node: { version: process.versions.node, path: node } }),
  );
}

/** Two bundles may hold the same package. */
function once(packages: readonly BundledPackage[]): readonly BundledPackage[] {
  return [...new Map(packages.map((each) => [`${each.name}@${each.version}`, each])).values()];
}

function versionOf(path: string): string {
  const about: unknown = JSON.parse(readFileSync(path, "utf8"));
  const version: unknown =
    typeof about === "object" && about !== null ? Reflect.get(about, "version") : undefined;
  return typeof version === "string" ? version : "0.0.0";
}
