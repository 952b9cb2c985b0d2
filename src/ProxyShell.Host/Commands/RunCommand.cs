using System.CommandLine;
using ProxyShell.Engine.Configuration;
using ProxyShell.Host.Running;

namespace ProxyShell.Host.Commands;

/// <summary><c>proxyshell run</c>: serves what a configuration file describes until it is told to stop.</summary>
internal static class RunCommand
{
    public static Command Create()
    {
        var config = new Option<string>("--config", "-c") { Description = "The configuration file (JSON).", Required = true, HelpName = "FILE" };
        var check = new Option<bool>("--check") { Description = "Only read the file and the secrets it refers to, and tell its faults." };
        var format = new Option<LogFormat>("--log-format") { Description = "How events are written to standard error.", DefaultValueFactory = _ => LogFormat.Text };
        var level = new Option<LogLevel>("--log-level")
        {
            Description = "The least level to write; at debug every opened and closed connection is told.",
            DefaultValueFactory = _ => LogLevel.Info,
        };
        var command = new Command("run", "Run the proxy servers, access listeners, tunnel gateways, striped pipes and tunnels of a configuration file until SIGTERM or Ctrl+C; SIGHUP reads the file again and changes what runs.") { config, check, format, level };
        command.SetAction(async (result, _) =>
        {
            using var log = new EventLog(Console.Error, result.GetValue(format), result.GetValue(level));
            string file = result.GetValue(config)!;
            var run = new ServiceRun(file, log);
            return result.GetValue(check) ? Approve(file, run.Read()) : await run.RunAsync().ConfigureAwait(false);
        });
        return command;
    }

    private static int Approve(string file, ProxyConfiguration configuration)
    {
        Console.WriteLine($"{file}: ok, proxy servers: {configuration.ProxyServers.Count}, access listeners: {configuration.AccessListeners.Count}, tunnel gateways: {configuration.TunnelGateways.Count}, striped pipes: {configuration.StripedPipes.Count}, tunnels: {configuration.Tunnels.Count}");
        return ExitCode.Ok;
    }
}
