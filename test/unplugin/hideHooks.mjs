// As in a browser: nothing that follows promises.
process.getBuiltinModule = undefined;
