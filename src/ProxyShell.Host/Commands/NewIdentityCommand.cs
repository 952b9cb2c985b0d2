using System.CommandLine;
using ProxyShell.Engine.Tunnels;

namespace ProxyShell.Host.Commands;

/// <summary><c>proxyshell new-identity</c>: makes the key with which an agent shows a gateway who it is.</summary>
internal static class NewIdentityCommand
{
    public static Command Create()
    {
        var file = new Argument<string>("FILE") { Description = "The file to write it to, readable for you alone; it must not exist." };
        var command = new Command("new-identity", "Make the key of a tunnel's agent (ES256), and print its thumbprint, which a gateway's authorizedKeys may name and which is its host name.") { file };
        command.SetAction(result =>
        {
            using TunnelIdentity identity = TunnelIdentity.Create(result.GetValue(file)!);
            Console.WriteLine(identity.Thumbprint);
            return ExitCode.Ok;
        });
        return command;
    }
}
