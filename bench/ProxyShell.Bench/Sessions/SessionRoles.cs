using System.Globalization;

namespace ProxyShell.Bench.Sessions;

/// <summary>
/// The two ends of a session as processes: <c>session-far PORT</c>, <c>session-near PORT LISTEN=DESTINATION…</c>, which forwards ports, and
/// <c>session-drive PORT</c>, which opens channels when its standard input says so. <c>nerdbank.mjs</c> has the same three.
/// </summary>
internal static class SessionRoles
{
    internal const string Far = "session-far", Near = "session-near", Driver = "session-drive";

    internal static bool Includes(string? role) => role is Far or Near or Driver;

    internal static async Task RunAsync(string role, string[] arguments)
    {
        int carrier = Port(arguments[0]);
        switch (role)
        {
            case Far:
                await new FarSide(carrier).RunAsync();
                break;
            case Near:
                await new NearSide(carrier, [.. arguments[1..].Select(Forward)]).RunAsync();
                break;
            default:
                await new ChannelDriver(carrier).RunAsync(Console.In, Console.Out);
                break;
        }
    }

    private static (int Port, int Destination) Forward(string text)
    {
        string[] ports = text.Split('=');
        return (Port(ports[0]), Port(ports[1]));
    }

    private static int Port(string text) => int.Parse(text, CultureInfo.InvariantCulture);
}
