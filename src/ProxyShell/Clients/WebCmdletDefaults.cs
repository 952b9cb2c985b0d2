using System.Collections;
using System.Management.Automation;

namespace ProxyShell.Clients;

/// <summary>The default values of -Proxy and its like for Invoke-WebRequest and Invoke-RestMethod, as one session state sees them.</summary>
internal sealed class WebCmdletDefaults
{
    private const string Variable = "PSDefaultParameterValues";
    private static readonly string[] Cmdlets = ["Invoke-WebRequest", "Invoke-RestMethod"];
    private static readonly string[] Parameters = ["Proxy", "ProxyCredential", "ProxyUseDefaultCredentials", "NoProxy"];

    private readonly IDictionary _defaults;
    private readonly DictionaryEntry[] _before;

    public WebCmdletDefaults(SessionState session)
    {
        _defaults = session.PSVariable.GetValue(Variable) as IDictionary ?? new DefaultParameterDictionary();
        if (session.PSVariable.GetValue(Variable) is not IDictionary) session.PSVariable.Set(Variable, _defaults);
        _before = [.. _defaults.Cast<DictionaryEntry>().Where(entry => IsAboutProxies(entry.Key.ToString() ?? ""))];
    }

    public void Set(Uri proxy, PSCredential? credential)
    {
        Clear();
        foreach (string cmdlet in Cmdlets)
        {
            _defaults[$"{cmdlet}:Proxy"] = proxy;
            if (credential is not null) _defaults[$"{cmdlet}:ProxyCredential"] = credential;
        }
    }

    /// <summary>Sets all defaults as they were when this object was made.</summary>
    public void Restore()
    {
        Clear();
        foreach (DictionaryEntry entry in _before) _defaults[entry.Key] = entry.Value;
    }

    private void Clear()
    {
        foreach (object key in _defaults.Keys.Cast<object>().Where(key => IsAboutProxies(key.ToString() ?? "")).ToArray()) _defaults.Remove(key);
    }

    // with two defaults for one parameter PowerShell takes neither, and a pattern for cmdlets is a default too
    private static bool IsAboutProxies(string key)
    {
        int colon = key.LastIndexOf(':');
        if (colon < 0) return false;
        var cmdlet = new WildcardPattern(key[..colon].Trim(), WildcardOptions.IgnoreCase);
        var parameter = new WildcardPattern(key[(colon + 1)..].Trim(), WildcardOptions.IgnoreCase);
        return Array.Exists(Cmdlets, cmdlet.IsMatch) && Array.Exists(Parameters, parameter.IsMatch);
    }
}
