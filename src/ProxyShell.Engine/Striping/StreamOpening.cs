using System.Net;

namespace ProxyShell.Engine.Striping;

/// <summary>What the near end of a striped pipe tells the far end of a new stream.</summary>
/// <param name="Kind">What passes over it.</param>
/// <param name="Client">The client of the near end; null when it has no address.</param>
internal sealed record StreamOpening(StreamKind Kind, IPEndPoint? Client);
