using ProxyShell.Engine.Diagnostics;
using ProxyShell.Engine.Security;

namespace ProxyShell.Engine.Protocols;

/// <summary>What came of reading a request header: the request, or why it is refused; and what the answer needs either way.</summary>
internal readonly record struct RelayRequestReading(
    RelayRequest? Request, ProxyErrorReason Reason, string Message, UInt128 Nonce, ProxyKey? Key);
