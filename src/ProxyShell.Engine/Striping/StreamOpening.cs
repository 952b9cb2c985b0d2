using System.Net;
using ProxyShell.Engine.Diagnostics;

namespace ProxyShell.Engine.Striping;

/// <summary>What the near end of a striped pipe tells the far end of a new stream.</summary>
/// <param name="Kind">What passes over it.</param>
/// <param name="Client">The client of the near end; null when it has no address.</param>
internal sealed record StreamOpening(StreamKind Kind, IPEndPoint? Client)
{
    /// <summary>The client's record, on which it is noted which chain the stream takes when it takes one of its own; the far end is not told of it.</summary>
    public ProxyConnection? Record { get; init; }
}
