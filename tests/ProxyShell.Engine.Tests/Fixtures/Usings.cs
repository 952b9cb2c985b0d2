global using ProxyShell.Engine.Tests.Fixtures;
global using Xunit;
