/** Where a package's bundle is, from the repository's root. */
export function bundlePath(name: string): string {
  return `packages/${name}/dist/main.cjs`;
}
