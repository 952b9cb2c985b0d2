namespace ProxyShell.Engine.Diagnostics;

/// <summary>Somebody who takes events of these kinds.</summary>
internal sealed record EventSubscriber(EventHandler<ProxyEvent> Handler, EventKinds Kinds);
