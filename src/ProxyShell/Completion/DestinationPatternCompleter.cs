namespace ProxyShell.Completion;

/// <summary>Offers the shapes of destination patterns, and the networks that are nobody's on the Internet.</summary>
public sealed class DestinationPatternCompleter : ValueCompleter
{
    private protected override IEnumerable<(string Value, string Tip)> Candidates() =>
    [
        ("*", "every host and port"),
        ("*.example.com", "a name with wildcards"),
        (".example.com", "a name and all names below it"),
        ("*:443", "every host, one port"),
        ("*:80-443", "every host, a range of ports"),
        ("192.0.2.7:22", "an address and a port"),
        ("10.0.0.0/8", "a private network"),
        ("172.16.0.0/12", "a private network"),
        ("192.168.0.0/16", "a private network"),
        ("127.0.0.0/8", "this machine"),
        ("169.254.0.0/16", "this link"),
        ("[fc00::]/7", "private networks, IPv6"),
        ("[fe80::]/10", "this link, IPv6"),
        ("[::1]", "this machine, IPv6"),
    ];
}
