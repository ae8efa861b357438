// Runs before tsx and before anything that needs a newer Node: `node --require ./local/start/boot.cjs --import tsx …`.
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
if (major < 22 || (major === 22 && minor < 13)) {
  console.error(
    `This needs Node 22.13 or newer, but runs on ${process.versions.node}. On Linux, npm ci installs Node 24.`,
  );
  process.exit(1);
}

require('node:module').enableCompileCache();

// tsx inspects every file that is loaded after it. Loading the large packages before it saves 0.4 s of CPU time.
const largePackages = [
  '@aws-sdk/client-s3',
  '@aws-sdk/client-sfn',
  '@aws-sdk/lib-dynamodb',
  'aws-local-stepfunctions',
  'dynalite',
  'graphql',
  'undici',
  'zod',
];
for (const name of largePackages) require(name);
