namespace ProxyShell.Engine.Protocols.Http;

/// <summary>The members of a comma-separated field value (RFC 9110 §5.6.1), one after another; empty ones are left out.</summary>
internal ref struct HttpList(ReadOnlySpan<byte> value)
{
    private ReadOnlySpan<byte> _rest = value;

    public bool TryNext(out ReadOnlySpan<byte> member)
    {
        while (!_rest.IsEmpty)
        {
            int comma = _rest.IndexOf((byte)',');
            member = HttpChars.Trim(comma < 0 ? _rest : _rest[..comma]);
            _rest = comma < 0 ? default : _rest[(comma + 1)..];
            if (!member.IsEmpty) return true;
        }
        member = default;
        return false;
    }
}
