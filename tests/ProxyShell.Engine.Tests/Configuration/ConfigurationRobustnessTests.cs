using System.Text.Json.Nodes;
using ProxyShell.Engine.Configuration;

namespace ProxyShell.Engine.Tests.Configuration;

/// <summary>Whatever a file holds, reading it gives a configuration or a <see cref="ConfigurationException"/>, nothing else.</summary>
public class ConfigurationRobustnessTests
{
    private static readonly string Whole = """
        { "proxyServers": [ { "name": "p1", "localAddress": "127.0.0.1", "localPort": 4101, "keys": [ "env:PX_FUZZ" ],
              "allowDestination": [ "10.0.0.0/8" ], "denyDestination": [ "*:22" ], "chain": [ "relay://127.0.0.1:4100" ],
              "maxConnections": 5, "idleTimeout": "01:00:00", "connectTimeout": 3, "handshakeTimeout": 4.5, "stopTimeout": 1, "clockWindow": 30,
              "sessions": { "maxSessions": 2, "idleTimeout": "infinite" },
              "eventCapacity": 10, "certificate": null, "allowAnonymous": false,
              "protocols": [ "relay", "socks5" ], "credentials": [ "env:PX_FUZZ_LOGIN", { "user": "u", "password": "env:PX_FUZZ" } ],
              "maxConnectionsPerClient": 2, "allowSource": [ "10.0.0.0/8" ], "denySource": [ "::1" ] } ],
          "accessListeners": [ { "name": "web", "localPort": 8080, "destination": "[::1]:80",
              "chain": [ "relay://env:PX_FUZZ@h:1", { "uri": "relays://h:2", "key": "env:PX_FUZZ", "serverName": "s" }, "relay+unix:/p", { "uri": "relays+mux://h:3?idle=9", "sessions": { "maxChannels": 7, "keepAlive": 5 } } ] },
              { "protocols": [ "http" ], "chain": [ "ssh://u@h", { "uri": "socks5://h", "credential": "env:PX_FUZZ_LOGIN" }, "relay+wss://h/p" ], "blockByDefault": true, "rules": [
                { "destination": [ "*.x:80" ], "port": [ 80, "1-9" ], "block": true }, { "direct": true }, { "chain": [ "http://h", [ "relay://a:1", [ "ssh://b", "ssh://c" ] ],
                  { "selection": "random", "alternates": [ { "uri": "http://h", "weight": 2 }, { "hops": [ "http://i" ], "weight": 3 } ] } ] } ] } ],
          "tunnelGateways": [ { "name": "g", "localPort": 4443, "publicAddress": "127.0.0.1", "httpPort": 80, "httpsPort": null, "domain": "t.example", "hostNamePool": [ "a" ],
              "tcpPorts": [ 2000, "2001-2009" ], "udpPorts": [ "2000-2009" ], "authorizedKeys": [ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" ], "token": "env:PX_FUZZ",
              "lease": 9, "maxAgents": 5, "maxTunnelsPerKey": 2, "maxNamesPerKey": 0, "maxConnectionsPerTunnel": 8, "maxPendingHandshakes": 3, "silenceLimit": 5, "clockWindow": 9,
              "http": { "answerTimeout": 1, "requestRate": 1.5, "credentials": [ "env:PX_FUZZ_LOGIN" ], "trustedProxies": [ "::1" ], "accessLog": { "path": "x.log", "format": "json", "keptFiles": 1 } } } ],
          "stripedPipes": [ { "peer": "tls://h:1", "key": "env:PX_FUZZ", "stripeCount": 2, "maxStripeCount": 5, "chains": [ [ "relay://a:1" ], { "chain": [ "relay://b:1" ], "payloadKey": "env:PX_FUZZ" }, [] ],
              "window": 65536, "stallTimeout": 2, "peerServerName": "s" }, { "accept": true, "destination": "h:1", "framing": "datagram", "udp": true, "chain": [ "relay://h:1" ], "reconnectTimeout": 5 } ],
          "tunnels": [ { "name": "t", "gateway": "tunnels://h:4443?servername=x", "destination": "http://127.0.0.1:8080", "identityFile": "PX_FUZZ_IDENTITY", "token": "env:PX_FUZZ",
              "hostName": "blog", "sessionName": "s", "chain": [ "relay://h:1" ], "sendProxyProtocol": "v1", "hostHeader": "h", "maxRequestBody": 5, "requestRate": 1.5,
              "clientRequestRate": 2, "maxPublicConnections": 3, "allowSource": [ "10.0.0.0/8" ], "credentials": [ "env:PX_FUZZ_LOGIN" ], "firstRetry": 1, "maxRetry": 2, "maxConnections": 7 },
              { "gateway": "ws://h/p", "destination": "udp://h:53", "identityFile": "PX_FUZZ_IDENTITY", "remotePort": 5353 } ] }
        """.Replace("PX_FUZZ_IDENTITY", IdentityFile(), StringComparison.Ordinal);

    private static readonly string[] Scraps =
    [
        "{", "}", "[", "]", ",", ":", "\"", "null", "true", "-1", "1e999", "99999999999999999999", "\"\"", "\"env:\"", "\"file:\"", "\"file:\\u0000\"", "\"file:/\"", "\"env:=\"", "\\u0000",
        "\\ud800", "@", "//", "/*", "\u0000", "\ud83d", "�", "\"relay://@:\"", "\"relays://[::1\"", "\"::\"", "\"00:00:00.0000001\"", "\"-1.00:00:00\"", "\"infinite\"", "\"unix:\"", "\"unix:/\"",
    ];

    public ConfigurationRobustnessTests()
    {
        Environment.SetEnvironmentVariable("PX_FUZZ", new string('A', 43));
        Environment.SetEnvironmentVariable("PX_FUZZ_LOGIN", "alice:wonderland");
    }

    [Fact]
    public void The_text_that_is_mutated_is_valid() => Assert.Equal((6, 2), (ProxyConfiguration.Parse(Whole).CreateServices().Count, ProxyConfiguration.Parse(Whole).Tunnels.Count));

    [Fact]
    public void Mutated_text_is_read_or_refused()
    {
        var random = new Random(7);
        for (int i = 0; i < 20_000; i++)
        {
            string text = Whole;
            for (int n = random.Next(1, 4); n > 0; n--) text = Mutate(text, random);
            ReadOrRefuse(text);
        }
    }

    [Fact]
    public void Any_value_in_any_place_is_read_or_refused()
    {
        string[] values = ["null", "true", "0", "-5", "1e400", "\"x\"", "\"\"", "[]", "[null]", "[[]]", "[\"\"]", "{}", "{\"uri\":null}", "{\"source\":\"\"}", "{\"uri\":\"\"}"];
        string[] paths = [.. Places(JsonNode.Parse(Whole)!).Select(place => place.GetPath())];
        foreach (string path in paths)
        {
            foreach (string value in values)
            {
                JsonNode root = JsonNode.Parse(Whole)!;
                JsonNode place = Places(root).First(node => node.GetPath() == path);
                if (value == "1e400") ReadOrRefuse(root.ToJsonString().Replace(place.ToJsonString(), value, StringComparison.Ordinal));
                else if (place.Parent is null) ReadOrRefuse(value);
                else
                {
                    place.ReplaceWith(JsonNode.Parse(value));
                    ReadOrRefuse(root.ToJsonString());
                }
            }
        }
    }

    [Fact]
    public void Deep_and_long_texts_are_refused()
    {
        ReadOrRefuse(new string('[', 100_000));
        ReadOrRefuse($$"""{ "accessListeners": [{ "destination": "{{new string('h', 1_000_000)}}:1" }] }""");
        ReadOrRefuse($$"""{ "accessListeners": [{ "destination": "h:1", "chain": [{{string.Join(',', Enumerable.Repeat("\"relay://h:1\"", 1000))}}] }] }""");
    }

    // one for all runs: there is no moment at which nobody reads it any more
    private static string IdentityFile()
    {
        string path = Path.Combine(AppContext.BaseDirectory, "fuzzed-identity.pem");
        if (File.Exists(path)) return path;
        using var identity = Engine.Tunnels.TunnelIdentity.Create(path);
        return path;
    }

    private static void ReadOrRefuse(string text)
    {
        try
        {
            ProxyConfiguration.Parse(text);
        }
        catch (ConfigurationException e)
        {
            Assert.NotEmpty(e.Fault);
        }
        catch (Exception e)
        {
            Assert.Fail($"{e.GetType().Name}: {e.Message}\n{text[..Math.Min(text.Length, 3000)]}\n{e.StackTrace}");
        }
    }

    private static string Mutate(string text, Random random)
    {
        int at = random.Next(text.Length), length = Math.Min(random.Next(12), text.Length - at);
        return random.Next(4) switch
        {
            0 => text.Remove(at, length),
            1 => text.Insert(at, Scraps[random.Next(Scraps.Length)]),
            2 => text.Remove(at, length).Insert(at, Scraps[random.Next(Scraps.Length)]),
            _ => text.Insert(random.Next(text.Length), text.Substring(at, length)),
        };
    }

    private static IEnumerable<JsonNode> Places(JsonNode node)
    {
        yield return node;
        IEnumerable<JsonNode?> inner = node switch
        {
            JsonObject o => o.Select(property => property.Value),
            JsonArray a => a,
            _ => [],
        };
        foreach (JsonNode place in inner.OfType<JsonNode>().SelectMany(Places)) yield return place;
    }
}
