using ProxyShell.Engine.Protocols.Multiplexing;

namespace ProxyShell.Engine.Sessions;

/// <summary>A frame that belongs to no channel of ours: a rejected offer, or a probe.</summary>
internal readonly record struct Reply(FrameCode Code, ChannelId Channel, byte[] Words);
