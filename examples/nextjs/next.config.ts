import type { NextConfig } from 'next';

// The folder of this example: the repository around it has a lock file of its own.
const config: NextConfig = { turbopack: { root: import.meta.dirname } };

export default config;
