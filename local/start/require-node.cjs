// Works with any version of Node, and runs before anything that needs a newer one.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  console.error(
    `This needs Node 22.13 or newer, but runs on ${process.versions.node}. On Linux, npm ci installs Node 24.`,
  );
  process.exit(1);
}
