/** What `/version` says: the version of the API that is spoken here, and whose it is. P-10 */
export const serverVersion = {
  major: "1",
  minor: "36",
  gitVersion: "v1.36.0+rouse",
  gitCommit: "",
  gitTreeState: "clean",
  buildDate: "1970-01-01T00:00:00Z",
  goVersion: "",
  compiler: "",
  platform: "linux/amd64",
};
