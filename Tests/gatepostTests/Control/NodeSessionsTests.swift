import Testing

@testable import Store
@testable import gatepost

/// What a command says of a session of another node.
@Suite struct NodeSessionsTests {
    @Test(
        arguments: [
            (NodeAnswers(silent: ["mail1"]), "may have ended the session or not"),
            (NodeAnswers(lost: [.init(name: "mail1", seconds: 60)]), "session was not ended"),
            (NodeAnswers(), "no gateway has the name mail1"),
        ] as [(NodeAnswers, String)]
    )
    func `a node that was asked may have ended the session, and one that was lost did not`(
        answers: NodeAnswers,
        text: String
    ) {
        #expect(NodeSessions.noAnswer(of: "mail1", in: answers).description.contains(text))
    }
}
