#!/usr/bin/env node
// Committed, so that it is there to be linked before the first build.
import '../dist/cli.js';
