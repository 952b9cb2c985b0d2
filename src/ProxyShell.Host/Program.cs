using ProxyShell.Host.Commands;

return await CommandLine.InvokeAsync(args).ConfigureAwait(false);
