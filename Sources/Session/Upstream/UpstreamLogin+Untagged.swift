import IMAP

import struct NIOCore.ByteBuffer

/// Untagged responses before and during the login.
extension UpstreamLogin {
    /// Takes the greeting, or a later status response. After the greeting, BYE and PREAUTH end the login, and other
    /// status responses are ignored (RFC 9051 §7.1).
    mutating func statusReceived(
        _ condition: Condition,
        text: ByteBuffer
    ) -> [Action] {
        switch (self.state, condition) {
        case (.awaitingGreeting, .ok):
            self.recordCapabilities(from: text)
            return self.greeted()
        case (.awaitingGreeting, .preauth):
            return self.fail(.preauthenticated)
        case (.awaitingGreeting, _), (_, .bye):
            return self.fail(Quirks.failure(text) ?? .refusedGreeting)
        case (_, .preauth):
            return self.fail(.unexpectedResponse)
        case (_, .ok), (_, .no), (_, .bad):
            return []
        }
    }

    private mutating func greeted() -> [Action] {
        if self.security == .startTLS {
            return self.ask("CAPABILITY", then: .awaitingCapabilities(beforeStartTLS: true))
        }
        if self.capabilities.isEmpty {
            return self.ask("CAPABILITY", then: .awaitingCapabilities(beforeStartTLS: false))
        }
        return self.authenticate()
    }

    /// Takes `* CAPABILITY …`. The last one counts.
    mutating func capabilitiesReceived(_ response: ByteBuffer) -> [Action] {
        guard self.state != .awaitingGreeting, let list = try? CapabilityResponse(response) else {
            return self.fail(self.unreadable)
        }
        self.capabilities = Set(list.capabilities)
        return []
    }

    /// Takes other untagged data. Before the login any such response ends the connection; after it, responses that
    /// answer no command of the login are ignored.
    mutating func dataReceived(_ kind: DataKind, response: ByteBuffer) -> [Action] {
        switch (self.state, kind) {
        case (.awaitingNamespaces, .namespace):
            guard let namespaces = try? NamespaceResponse(response) else {
                return self.fail(.unexpectedResponse)
            }
            self.record(namespaces)
            self.hasNamespaces = true
            return []
        case (.awaitingDelimiter, .list):
            guard let list = try? ListResponse(response) else {
                return self.fail(.unexpectedResponse)
            }
            self.profile.delimiter = list.delimiter
            return []
        case (.awaitingFinalCapabilities, _), (.awaitingNamespaces, _), (.awaitingDelimiter, _),
            (.awaitingIdentification, _):
            return []
        default:
            return self.fail(.unexpectedResponse)
        }
    }

    /// Takes the prefixes of `* NAMESPACE …` (RFC 9051 §6.3.10).
    mutating func record(_ namespaces: NamespaceResponse) {
        self.profile.personalPrefixes = namespaces.personal.map {
            Array($0.prefix.readableBytesView)
        }
        self.profile.foreignPrefixes = (namespaces.others + namespaces.shared).map {
            Array($0.prefix.readableBytesView)
        }
    }

    /// Takes the capabilities from a CAPABILITY response code, if the text has one.
    mutating func recordCapabilities(from text: ByteBuffer) {
        let parsed = try? ResponseText(text)
        if case .capability(let list)? = parsed?.code { self.capabilities = Set(list) }
    }
}
