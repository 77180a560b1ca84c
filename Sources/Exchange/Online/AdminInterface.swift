import Foundation

/// Exchange Online's cmdlets over HTTPS: `InvokeCommand`, which Microsoft's own PowerShell module
/// uses and does not document. There is no documented interface to FullAccess and Send As.
///
/// One request at a time, and never faster than ``pause``; an answer that may be cut is an error.
actor AdminInterface {
    /// What is passed to a cmdlet.
    enum Parameter: Encodable, Sendable {
        case text(String)

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let text): try container.encode(text)
            }
        }
    }

    private struct Body: Encodable {
        struct Input: Encodable {
            var name: String
            var parameters: [String: Parameter]

            enum CodingKeys: String, CodingKey {
                case name = "CmdletName"
                case parameters = "Parameters"
            }
        }

        var input: Input

        enum CodingKeys: String, CodingKey {
            case input = "CmdletInput"
        }
    }

    /// No limit is published; three a second were never refused.
    private static let pause = Duration.milliseconds(300)
    private static let maximumTries = 6
    private static let maximumWait = Duration.seconds(120)

    private let application: Application
    private let tokens: TokenSource
    private let web: Web

    init(_ application: Application, _ tokens: TokenSource, _ web: Web) {
        self.application = application
        self.tokens = tokens
        self.web = web
    }

    /// Runs a cmdlet.
    /// - Returns: its rows, all of them.
    /// - Throws: why not, in words that say which role or consent is missing.
    func invoke(
        _ cmdlet: String,
        _ parameters: [String: Parameter]
    ) async throws -> [JSONValue] {
        let body = Body(input: .init(name: cmdlet, parameters: parameters))
        let text = String(decoding: try JSONEncoder().encode(body), as: UTF8.self)
        var tries = 0
        while true {
            tries += 1
            try await Task.sleep(for: Self.pause)
            let answer = try await self.post(text)
            if answer.status == 200 { return try Self.rows(answer.body, cmdlet) }
            let wait = Self.wait(answer.retryAfter, tries)
            guard Self.isTransient(answer), tries < Self.maximumTries, wait <= Self.maximumWait
            else { throw self.explained(answer, cmdlet) }
            try await Task.sleep(for: wait)
        }
    }

    private func post(_ body: String) async throws -> Web.Answer {
        let token = try await self.tokens.token()
        return try await self.web.post(
            self.application.commandURL,
            headers: [
                ("Authorization", "Bearer \(token.value)"), ("Content-Type", "application/json"),
                (
                    "X-AnchorMailbox",
                    "APP:SystemMailbox{bb558c35-97f1-4cb9-8ff7-d53741dc928c}@"
                        + self.application.tenant
                ),
            ],
            body: body
        )
    }

    /// What the server asks for, or twice as long each time; with some chance in it, so that many
    /// do not come back at once.
    private static func wait(_ retryAfter: Int?, _ tries: Int) -> Duration {
        let asked = min(max(retryAfter ?? 1 << min(tries, 6), 0), 86_400)
        return .seconds(asked) * Double.random(in: 1...1.25)
    }

    // MARK: - Answers

    private static func rows(_ body: Data, _ cmdlet: String) throws -> [JSONValue] {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: body),
            case .array(let rows)? = value["value"]
        else { throw OnlineError("\(cmdlet) answered something that is no list") }
        do {
            try PermissionsReader.checkWhole(value, cmdlet)
        } catch {
            throw OnlineError("\(error)")
        }
        return rows
    }

    private static let transientCodes = [
        "CmdletProxyNotAvailableFailure", "ServerBusyException", "TransientException",
        "BackendCommunicationException",
    ]

    private static func isTransient(_ answer: Web.Answer) -> Bool {
        if [429, 502, 503, 504].contains(answer.status) { return true }
        let text = String(decoding: answer.body, as: UTF8.self)
        return answer.status == 400 && self.transientCodes.contains(where: text.contains)
    }

    /// The sentence that says what is wrong lies deep in the answer; `error.message` is always
    /// `Invalid Operation`. A 403 may be some KiB of NUL.
    private func explained(_ answer: Web.Answer, _ cmdlet: String) -> OnlineError {
        switch answer.status {
        case 401:
            return OnlineError(
                "Exchange refuses the application: give it the application permission "
                    + "Exchange.ManageAsApp on Office 365 Exchange Online, and administrator consent"
            )
        case 403:
            return OnlineError(
                "the application may not run \(cmdlet): give it the Entra role Global Reader, or "
                    + "an Exchange role group with View-Only Recipients"
            )
        case 429, 502, 503, 504:
            let time = answer.retryAfter.map { " in \($0) seconds" } ?? " later"
            return OnlineError("Exchange is busy (HTTP \(answer.status)): load again\(time)")
        default:
            let error = (try? JSONDecoder().decode(JSONValue.self, from: answer.body))?["error"]
            let inner = error?["innererror"]?["internalexception"]?["message"]?.string
            var detail: String?
            if case .array(let details)? = error?["details"] {
                detail = details.first?["message"]?.string
            }
            let text = inner ?? detail ?? error?["message"]?.string ?? "HTTP \(answer.status)"
            let shown = Self.withoutTokens(Self.withoutType(text)).prefix(400)
            return OnlineError("\(cmdlet): \(shown)")
        }
    }

    /// An answer may repeat what it was asked with.
    private static func withoutTokens(_ text: String) -> String {
        text.split(separator: " ").map { $0.contains("eyJ") ? "…" : $0 }.joined(separator: " ")
    }

    /// `|Microsoft.Exchange.….ManagementObjectNotFoundException|The operation …`
    private static func withoutType(_ text: String) -> String {
        guard text.hasPrefix("|"), let end = text.dropFirst().firstIndex(of: "|") else {
            return text
        }
        return String(text[text.index(after: end)...])
    }
}
