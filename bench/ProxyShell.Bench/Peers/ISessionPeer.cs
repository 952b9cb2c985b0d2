namespace ProxyShell.Bench.Peers;

/// <summary>A make of sessions whose channels can be opened without a port.</summary>
internal interface ISessionPeer : IRelayPeer
{
    /// <summary>The two ends of a session, of which the near one does what its standard input says; see <see cref="Sessions.ChannelDriver"/>.</summary>
    ProcessCommand PrepareDriver(RelayPlan plan);
}
