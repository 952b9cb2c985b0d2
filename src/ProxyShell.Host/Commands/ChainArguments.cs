using System.CommandLine;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Configuration;
using ProxyShell.Engine.Security;

namespace ProxyShell.Host.Commands;

/// <summary>
/// The options that name a chain and a destination, shared by commands. <c>--chain</c> takes all values that follow, so the last
/// of them is the destination when it is no URI: <c>--chain relay://a:1 relay://b:2 host:port</c> reads as it is meant.
/// </summary>
internal sealed class ChainArguments
{
    public Option<string[]> Chain { get; } = new("--chain")
    {
        Description = "The hops, first to last, such as relay://127.0.0.1:4101, socks5://127.0.0.1 or ssh://user@host. A key, or user:password, is referred to, never written: relay://env:NAME@host:port or socks5://file:PATH@host:port.",
        HelpName = "URI",
        AllowMultipleArgumentsPerToken = true,
        Arity = ArgumentArity.OneOrMore,
    };

    public Option<string> KeyFile { get; } = new("--key-file") { Description = "A file with the key of every relay hop whose URI refers to none.", HelpName = "FILE" };

    public Option<string> PayloadKey { get; } = new("--payload-key")
    {
        Description = "Where the key is that seals the payload up to the last hop: env:NAME or file:PATH.",
        HelpName = "REF",
    };

    public Option<double> ConnectTimeout { get; } = new("--connect-timeout")
    {
        Description = "How many seconds setting up the way may take.",
        DefaultValueFactory = _ => 15,
        HelpName = "SECONDS",
    };

    public Argument<string> Destination { get; } = new("HOST:PORT")
    {
        Description = "The destination behind the last hop; an IPv6 address stands in [brackets].",
        Arity = ArgumentArity.ZeroOrOne,
    };

    public void AddTo(Command command)
    {
        command.Add(Chain);
        command.Add(KeyFile);
        command.Add(PayloadKey);
        command.Add(ConnectTimeout);
        command.Add(Destination);
        // a misspelt option would otherwise be taken for the destination
        Destination.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }, ..] && text.StartsWith('-')) result.AddError($"Unrecognized option '{text}'");
        });
    }

    /// <summary>Reads the chain, the keys it refers to and the destination, which is null when none is given.</summary>
    /// <exception cref="FormatException">One of them is not valid; the message says which.</exception>
    public ChainTarget Read(ParseResult result)
    {
        List<string> hops = [.. result.GetValue(Chain) ?? []];
        string? destination = result.GetValue(Destination);
        if (destination is null && hops.Count > 0 && !IsUri(hops[^1]))
        {
            destination = hops[^1];
            hops.RemoveAt(hops.Count - 1);
        }
        double seconds = result.GetValue(ConnectTimeout);
        if (!(seconds is > 0 and <= 86400)) throw new FormatException($"--connect-timeout is '{seconds}'; it must be more than 0 and at most 86400 seconds.");
        ProxyChain chain = ReadChain(hops, result.GetValue(KeyFile), result.GetValue(PayloadKey));
        return new ChainTarget(chain, destination is null ? null : ReadDestination(destination), TimeSpan.FromSeconds(seconds));
    }

    private static ProxyChain ReadChain(List<string> uris, string? keyFile, string? payloadReference)
    {
        ProxyKey? key = keyFile is null ? null : ReadKey(SecretReference.ToFile(keyFile));
        ProxyKey? payloadKey = payloadReference is null ? null : ReadKey(ReadReference(payloadReference));
        if (payloadKey is not null && uris.Count == 0) throw new FormatException("--payload-key is shared with the last hop of a chain: give the --chain.");
        var hops = new List<ProxyHop>();
        foreach (string uri in uris)
        {
            ProxyHop hop = HopReference.Parse(uri, directory: null, out SecretReference? secret);
            Warn(secret);
            hops.Add(hop is { Protocol: HopProtocol.Relay, Key: null } ? hop with { Key = key } : hop);
        }
        return new ProxyChain(hops) { PayloadKey = payloadKey };
    }

    private static SecretReference ReadReference(string text) => SecretReference.TryParse(text, out SecretReference? reference)
        ? reference
        : throw new FormatException("--payload-key must refer to the key as env:NAME or file:PATH; in clear text it does not belong in a command line.");

    private static ProxyKey ReadKey(SecretReference reference)
    {
        ProxyKey key = reference.ReadKey();
        Warn(reference);
        return key;
    }

    private static HostEndpoint ReadDestination(string text)
    {
        HostEndpoint endpoint = HostEndpoint.Parse(text);
        return endpoint.Port > 0 ? endpoint : throw new FormatException($"'{text}' is not a destination: port 0 cannot be connected to.");
    }

    private static void Warn(SecretReference? reference)
    {
        if (reference?.Warning is { } warning) CommandLine.Fail($"warning: {warning}");
    }

    private static bool IsUri(string text) => text.Contains("//", StringComparison.Ordinal) || text.StartsWith("relay+unix:", StringComparison.OrdinalIgnoreCase);
}
