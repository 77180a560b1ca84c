import Foundation

/// Exchange Online's cmdlets over HTTPS, through two interfaces.
///
/// The Admin API v2.0 is documented by Microsoft and offers four of the cmdlets. `InvokeCommand` is
/// the undocumented interface of Microsoft's own PowerShell module and offers all of them. It is
/// used for cmdlets that the Admin API lacks or refuses.
actor AdminInterface {
    /// The interface that answered; for `InvokeCommand`, why it was used.
    private enum Answered: Hashable {
        case documented
        case command(String)
    }

    /// The Admin API v2.0 refused a request.
    private struct Refusal: Error {
        var reason: String
    }

    /// The most pages of a list. A page has a thousand rows, and no group has a million members.
    private static let maximumPages = 1_000
    /// The most octets of a list: without a limit a server could fill the memory with pages.
    private static let maximumListOctets = 256 * 1_024 * 1_024
    /// The most attempts to read a list: links to pages expire after some minutes.
    private static let maximumListings = 2

    private let transport: AdminTransport
    /// The cmdlets that the Admin API v2.0 refused, with the reason.
    private var refusals: [Cmdlet: String] = [:]
    /// The cmdlets that each interface answered.
    private var answered: [Answered: Set<Cmdlet>] = [:]

    init(_ transport: AdminTransport) {
        self.transport = transport
    }

    /// Runs a cmdlet.
    /// - Returns: all of its rows.
    /// - Throws: `OnlineError` with the missing role or consent.
    func ask(_ question: Question) async throws -> [JSONValue] {
        let cmdlet = question.cmdlet
        var reason = self.refusals[cmdlet].map { "refuses \(cmdlet.rawValue): \($0)" }
        if case .not(let why) = question.documented { reason = why }
        guard let endpoint = cmdlet.endpoint, reason == nil else {
            return try await self.command(question, reason: reason ?? "does not have it")
        }
        do {
            let rows = try await self.documented(question, endpoint: endpoint)
            self.answered[.documented, default: []].insert(cmdlet)
            return rows
        } catch let refusal as Refusal {
            self.refusals[cmdlet] = refusal.reason
            return try await self.command(
                question,
                reason: "refuses \(cmdlet.rawValue): \(refusal.reason)"
            )
        }
    }

    /// Whether the Admin API v2.0 offers a cmdlet and has not refused it.
    func isDocumented(_ cmdlet: Cmdlet) -> Bool {
        cmdlet.endpoint != nil && self.refusals[cmdlet] == nil
    }

    /// The interface that answered each topic, a sentence each, for the report.
    var notes: [String] {
        self.answered.map { answered, cmdlets in
            var topics: [String] = []
            for cmdlet in Cmdlet.allCases where cmdlets.contains(cmdlet) {
                if !topics.contains(cmdlet.topic) { topics.append(cmdlet.topic) }
            }
            let text = topics.joined(separator: ", ")
            switch answered {
            case .documented: return "\(text): answered by the Admin API v2.0"
            case .command(let reason):
                return "\(text): answered by InvokeCommand, because the Admin API v2.0 \(reason)"
            }
        }.sorted()
    }

    // MARK: - InvokeCommand

    /// Runs a cmdlet through `InvokeCommand`.
    /// - Parameter reason: why the Admin API v2.0 is not used.
    private func command(_ question: Question, reason: String) async throws -> [JSONValue] {
        let answer = AdminAnswer(
            question.cmdlet,
            answer: try await self.transport.post(
                self.transport.application.commandURL,
                cmdlet: question.cmdlet,
                parameters: Self.parameters(question, identity: question.identity)
            )
        )
        guard answer.answer.status == 200 else {
            let error = answer.commandError
            guard let refusal = self.refusals[question.cmdlet],
                !error.description.contains(refusal)
            else { throw error }
            throw OnlineError("\(error); before that the Admin API v2.0 refused: \(refusal)")
        }
        let rows = try answer.rows()
        self.answered[.command(reason), default: []].insert(question.cmdlet)
        return rows
    }

    private static func parameters(_ question: Question, identity: String?) -> [String: String] {
        var parameters: [String: String] = [:]
        if let identity { parameters["Identity"] = identity }
        if question.isWhole { parameters["ResultSize"] = "Unlimited" }
        return parameters
    }

    // MARK: - The Admin API v2.0

    /// Reads all pages. If a link expires, the list is read again from the start.
    private func documented(_ question: Question, endpoint: String) async throws -> [JSONValue] {
        for _ in 0..<Self.maximumListings {
            if let rows = try await self.pages(question, endpoint: endpoint) { return rows }
        }
        throw Refusal(reason: "links to further pages expire before they are followed")
    }

    /// - Returns: nil if a link to a page has expired.
    private func pages(_ question: Question, endpoint: String) async throws -> [JSONValue]? {
        var identity = question.identity
        if case .identity(let other) = question.documented { identity = other }
        let parameters = Self.parameters(question, identity: identity)
        let first = self.transport.application.documentedURL(endpoint)
        var (url, seen, rows): (String, Set<String>, [JSONValue]) = (first, [first], [])
        var octets = 0
        while true {
            let answer = AdminAnswer(
                question.cmdlet,
                answer: try await self.transport.post(
                    url,
                    cmdlet: question.cmdlet,
                    parameters: parameters
                )
            )
            if answer.isExpiredPage, url != first { return nil }
            guard !answer.isRefusal else {
                let tenant = self.transport.application.tenant
                throw Refusal(reason: answer.documentedReason(tenant: tenant))
            }
            guard answer.answer.status == 200 else { throw answer.error }
            let page = try answer.page()
            rows += page.rows
            octets += answer.answer.body.count
            guard let next = page.next else { return rows }
            guard let link = Self.link(next, from: first) else {
                throw Refusal(reason: "its next page is on another server")
            }
            guard seen.insert(link).inserted, seen.count <= Self.maximumPages,
                octets <= Self.maximumListOctets
            else {
                throw Refusal(reason: "its pages do not end")
            }
            url = link
        }
    }

    /// The absolute link to a page on the same server; nil for another server, which must not get
    /// the token.
    private static func link(_ text: String, from first: String) -> String? {
        guard let base = URL(string: first),
            let link = URL(string: text, relativeTo: base)?.absoluteURL,
            link.scheme == base.scheme, link.user == nil, link.password == nil,
            let host = link.host, let own = base.host,
            Directory.folded(host) == Directory.folded(own),
            link.port ?? 443 == base.port ?? 443, link.path.hasPrefix("/adminapi/")
        else { return nil }
        return link.absoluteString
    }
}
