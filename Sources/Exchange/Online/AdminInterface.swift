import Foundation

/// Exchange Online's cmdlets over HTTPS, through two interfaces.
///
/// The Admin API v2.0 is documented by Microsoft, and has four of the cmdlets. `InvokeCommand`, which
/// Microsoft's own PowerShell module uses, is not documented and has all of them: it is asked for
/// what the other does not have, and where the other refuses.
actor AdminInterface {
    /// Which interface answered, and why it was that one.
    private enum Answered: Hashable {
        case documented
        case command(String)
    }

    /// The Admin API v2.0 does not answer, and why.
    private struct Refusal: Error {
        var reason: String
    }

    /// A page has a thousand rows; more pages than these are not the members of a group.
    private static let maximumPages = 1_000
    /// All pages of a list together; without a limit a server could fill the memory with them.
    private static let maximumListOctets = 256 * 1_024 * 1_024
    /// The link to a page is good for some minutes only.
    private static let maximumListings = 2

    private let transport: AdminTransport
    private var refusals: [Cmdlet: String] = [:]
    private var answered: [Answered: Set<Cmdlet>] = [:]

    init(_ transport: AdminTransport) {
        self.transport = transport
    }

    /// Runs a cmdlet.
    /// - Returns: its rows, all of them.
    /// - Throws: why not, in words that say which role or consent is missing.
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

    /// Whether the Admin API v2.0 answers a cmdlet, as far as is known.
    func isDocumented(_ cmdlet: Cmdlet) -> Bool {
        cmdlet.endpoint != nil && self.refusals[cmdlet] == nil
    }

    /// Which interface answered what, a sentence each.
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

    /// All pages. Where a link is no longer good, the list is read from its beginning, once.
    private func documented(_ question: Question, endpoint: String) async throws -> [JSONValue] {
        for _ in 0..<Self.maximumListings {
            if let rows = try await self.pages(question, endpoint: endpoint) { return rows }
        }
        throw Refusal(reason: "links to further pages end before they are followed")
    }

    /// - Returns: nil where the link to a page is no longer good.
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
                throw Refusal(reason: "its next page lies on another server")
            }
            guard seen.insert(link).inserted, seen.count <= Self.maximumPages,
                octets <= Self.maximumListOctets
            else {
                throw Refusal(reason: "its pages do not end")
            }
            url = link
        }
    }

    /// The link to a page of the same server, absolute; nil for another one, which may not see the
    /// token.
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
