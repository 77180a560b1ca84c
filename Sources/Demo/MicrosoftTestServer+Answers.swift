import Foundation
import Synchronization

/// The dispatch of requests by path.
extension MicrosoftTestServer {
    /// Answers a request.
    /// - Parameter path: the path with its query.
    func answer(_ path: String, authorization: String?, body: Data) -> HTTPAnswer {
        self.state.withLock { state in
            switch path {
            case "/\(Self.tenant)/oauth2/v2.0/token":
                return Self.token(body, state: &state)
            case "/adminapi/beta/\(Self.tenant)/InvokeCommand":
                return Self.command(authorization, body: body, state: &state)
            case let path where path.hasPrefix(Self.documentedPath):
                return self.documentedAnswer(
                    path,
                    authorization: authorization,
                    body: body,
                    state: &state
                )
            case let path where path.hasPrefix("/introspect"):
                let token = Self.form(body)["token"] ?? path.components(separatedBy: "token=").last
                let isGood = state.tokens[token ?? ""].map { $0 > Date() } ?? false
                return HTTPAnswer(body: #"{"active":\#(isGood),"username":"application"}"#)
            case let path where path.hasSuffix("/oauth2/v2.0/token"):
                return Self.refusal(
                    400,
                    error: "invalid_request",
                    code: 90_002,
                    text: "Tenant not found."
                )
            default:
                return HTTPAnswer(status: 404)
            }
        }
    }

    /// Whether the `Authorization` field contains a token that has not expired.
    static func isGood(_ authorization: String?, state: State) -> Bool {
        let token = authorization?.replacingOccurrences(of: "Bearer ", with: "") ?? ""
        return state.tokens[token].map { $0 > Date() } ?? false
    }

    /// The response of Exchange for an unknown object.
    static func notFound(_ identity: String) -> HTTPAnswer {
        let text =
            "The operation couldn't be performed because object '\(identity)' couldn't be found on "
            + "'XX.PROD.OUTLOOK.COM'."
        let type = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"
        return HTTPAnswer(
            status: 400,
            body:
                #"{"error":{"code":"BadRequest","message":"Invalid Operation","details":[{"code":"#
                + #""Client","target":"","message":"|\#(type)|\#(text)"}],"innererror":{"message":"#
                + #""Invalid Operation","type":"Microsoft.Exchange.Admin.OData.Core.ODataServiceE"#
                + #"xception","stacktrace":"","internalexception":{"message":"\#(text)","type":"#
                + #""\#(type)","stacktrace":""}}}}"#
        )
    }
}
