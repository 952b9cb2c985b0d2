using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using ProxyShell.Engine.Addressing;
using ProxyShell.Engine.Chains;
using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Inbound;
using ProxyShell.Engine.Proxying;
using ProxyShell.Engine.Routing;
using ProxyShell.Engine.Security;
using ProxyShell.Engine.Serving;
using ProxyShell.Engine.Transport;

namespace ProxyShell.Engine.Tests.Inbound;

/// <summary>Datagrams for a client that asked for them over a connection; here with an envelope of one byte ('@') and a port of this machine.</summary>
public sealed class DatagramAssociationTests : IAsyncLifetime
{
    private readonly DatagramOrigin _origin = DatagramOrigin.Echo();

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _origin.DisposeAsync();

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task Each_destination_has_its_flow_and_answers_carry_its_header(string sockets)
    {
        await using DatagramOrigin other = DatagramOrigin.Echo();
        using var host = new Host(sockets);
        using var client = new DatagramClient(host.Association.LocalEndPoint.Port);
        foreach (int port in new[] { _origin.Port, other.Port, _origin.Port })
        {
            byte[] datagram = To(port, RandomBytes.Of(2000));
            await client.AssertEchoAsync(datagram);
        }
        Assert.Equal(
            [_origin.Endpoint.ToString(), other.Endpoint.ToString()],
            host.Registry.ToList().Where(c => c.Protocol == "udp").OrderBy(c => c.Id).Select(c => c.Destination));
        Assert.All(host.Registry.ToList().Where(c => c.Protocol == "udp"), c => Assert.Equal(client.LocalEndPoint.ToString(), c.Client));
        await Deadline.Until(() => host.Control.Activity == 6, "three datagrams each way show that the connection is in use");
    }

    [Fact]
    public async Task Nobody_else_is_listened_to()
    {
        using var host = new Host(Sockets.Portable);
        using DatagramClient client = new(host.Association.LocalEndPoint.Port), stranger = new(host.Association.LocalEndPoint.Port);
        await client.AssertEchoAsync(To(_origin.Port, [1]));
        stranger.Send(To(_origin.Port, [2]));
        await client.AssertEchoAsync(To(_origin.Port, [3]));
        Assert.Equal(2, _origin.Received);
    }

    [Fact]
    public async Task A_client_that_named_its_port_is_known_by_it()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        using var host = new Host(Sockets.Portable, (IPEndPoint)socket.LocalEndPoint!);
        using var stranger = new DatagramClient(host.Association.LocalEndPoint.Port);
        stranger.Send(To(_origin.Port, [1]));
        await socket.SendToAsync(To(_origin.Port, [2]), host.Association.LocalEndPoint);
        var answer = new byte[10];
        Assert.Equal(4, await socket.ReceiveAsync(answer).Within());
        Assert.Equal(1, _origin.Received);
    }

    [Fact]
    public async Task What_has_no_header_is_dropped()
    {
        using var host = new Host(Sockets.Portable);
        using var client = new DatagramClient(host.Association.LocalEndPoint.Port);
        foreach (string bad in new[] { "", "@", "!!!x", "@\0\0port zero" }) client.Send(bad);
        await client.AssertEchoAsync(To(_origin.Port, [1]));
        Assert.Equal(2, host.Registry.Count);
    }

    [Theory]
    [MemberData(nameof(Sockets.All), MemberType = typeof(Sockets))]
    public async Task With_the_association_its_flows_and_its_port_end(string sockets)
    {
        using var host = new Host(sockets);
        IPEndPoint local = host.Association.LocalEndPoint;
        using var client = new DatagramClient(local.Port);
        await client.AssertEchoAsync(To(_origin.Port, [1]));
        host.Association.Dispose();
        Assert.Equal(host.Control, Assert.Single(host.Registry.ToList()));
        Assert.Contains(host.Registry.Events.ToList(), e => e.Kind == ProxyEventKind.Closed && e.Destination == _origin.Endpoint.ToString());
        client.Send(To(_origin.Port, [2]));
        await Assert.ThrowsAsync<SocketException>(() => client.ReceiveAsync());
    }

    [Fact]
    public async Task The_policy_of_the_service_holds()
    {
        using var host = new Host(Sockets.Portable, policy: new DestinationPolicy([], [DestinationPattern.Parse($"127.0.0.1:{_origin.Port}")], guarded: false));
        using var client = new DatagramClient(host.Association.LocalEndPoint.Port);
        client.Send(To(_origin.Port, [1]));
        await Deadline.Until(() => host.Registry.Refused == 1, "the flow is refused");
        Assert.Equal(0, _origin.Received);
    }

    private static byte[] To(int port, byte[] payload) => [(byte)'@', (byte)(port >> 8), (byte)port, .. payload];

    private sealed class Envelope : IDatagramEnvelope
    {
        public int Measure(ReadOnlySpan<byte> datagram) => datagram.Length >= 3 && datagram[0] == '@' ? 3 : 0;

        public HostEndpoint? Read(ReadOnlySpan<byte> header) => new("127.0.0.1", BinaryPrimitives.ReadUInt16BigEndian(header[1..]));

        public byte[] Answer(ReadOnlySpan<byte> header, IPEndPoint? source) => header.ToArray();
    }

    private sealed class Nothing : IAbortable
    {
        public void Abort()
        {
            // a connection that is not there
        }
    }

    private sealed class Host : IDisposable
    {
        public Host(string sockets, IPEndPoint? client = null, DestinationPolicy? policy = null)
        {
            var options = new ProxyServerOptions { Sockets = Sockets.Of(sockets) };
            Registry = new ConnectionRegistry(this, new ServiceIdentity("test", "Test", TimeProvider.System), 100);
            Control = Registry.TryOpen(null, new Nothing(), 10)!;
            var connector = new ChainConnector(new Dialer(options.Sockets, NameResolver.Default), TimeProvider.System);
            var context = new InboundContext(options, Registry, new Outbound(connector, new RouteTable(policy ?? DestinationPolicy.AllowAll, ProxyChain.Direct, [], blockByDefault: false)), []);
            Association = new DatagramAssociation(context, Control, IPAddress.Loopback, client ?? new IPEndPoint(IPAddress.Loopback, 0), new Envelope());
        }

        public ConnectionRegistry Registry { get; }

        public ProxyConnection Control { get; }

        public DatagramAssociation Association { get; }

        public void Dispose()
        {
            Association.Dispose();
            Registry.Dispose();
        }
    }
}
