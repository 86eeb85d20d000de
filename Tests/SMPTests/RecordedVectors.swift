/// Recorded traffic: what other implementations sent, byte for byte.
enum RecordedVectors {
    struct Framed: Sendable {
        let name: String
        let message: String
        /// All lines of the frame.
        let frame: String
        /// Bytes of a line, at most.
        var lineLength = 127
    }

    /// From the Python package smp 4.2.0.
    static let client: [Framed] = [
        Framed(
            name: "echo hi v1(seq7)",
            message: "0200000600000700a16164626869",
            frame: "0609414241434141414741414148414b46685a474a6f616334500a"),
        Framed(
            name: "echo hi v2(seq7)",
            message: "0a00000600000700a16164626869",
            frame: "06094142414b4141414741414148414b46685a474a6f6153566b0a"),
        Framed(
            name: "echo seq255",
            message: "0a0000040000ff00a1616460",
            frame: "06094141344b414141454141442f414b46685a47424f77773d3d0a"),
        Framed(
            name: "mcumgr params read",
            message: "0800000100000006a0",
            frame: "06094141734941414142414141414271427a45773d3d0a"),
        Framed(
            name: "image state read",
            message: "0800000100010000a0",
            frame: "0609414173494141414241414541414b437641513d3d0a"),
        Framed(
            name: "reset",
            message: "0a00000100000105a0",
            frame: "06094141734b41414142414141424261445846773d3d0a"),
        Framed(
            name: "image upload 1st chunk 64B",
            message: """
                0a00008000010201a5636c656e18c8636f66660063736861582000000000000000000000000000000000 \
                0000000000000000000000000000000064646174615840000102030405060708090a0b0c0d0e0f101112 \
                131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c \
                3d3e3f65696d61676500
                """,
            frame: """
                060941496f4b41414341414145434161566a62475675474d686a62325a6d41474e7a6147465949414141 \
                414141414141414141414141414141414141414141414141414141414141414141414141414141415a47 \
                5268644746595141414241674d454251594843416b4b4377774e4467385145524954464255574678675a \
                0a04144768736348523466494345694979516c4a69636f4b536f724c4330754c7a41784d6a4d304e5459 \
                334f446b364f7a7739506a396c615731685a3255415065593d0a
                """),
        Framed(
            name: "rsp v1 error rc=8",
            message: "0300000500400901a162726308",
            frame: "060941413844414141464145414a41614669636d4d497950383d0a"),
        Framed(
            name: "rsp v2 error group66 rc5",
            message: "0b00001200420901a163657272a26567726f7570184262726305",
            frame: """
                06094142774c414141534145494a4161466a5a584a796f6d566e636d393163426843596e4a6a4261636d \
                0a
                """),
        Framed(
            name: "raw 200B 00..c7 line_length=64",
            message: """
                000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223242526272829 \
                2a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f50515253 \
                5455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d \
                7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7 \
                a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7
                """,
            frame: """
                0609414d6f4141514944424155474277674a4367734d4451345045424553457851564668635947526f62 \
                484230654879416849694d6b4a53596e4b436b710a04144b7977744c6938774d54497a4e4455324e7a67 \
                354f6a73385054342f5145464351305246526b64495355704c5445314f54314252556c4e5556565a580a \
                041457466c6157317864586c396759574a6a5a47566d5a326870616d7473625735766348467963335231 \
                646e6434655870376648312b66344342676f4f450a04146859614869496d4b6934794e6a6f2b516b5a4b \
                546c4a57576c35695a6d7075636e5a36666f4b47696f36536c7071656f71617172724b3275723743780a \
                041473724f3074626133754c6d367537793976722f4177634c44784d5847787857680a
                """, lineLength: 63),
        Framed(
            name: "put",
            message: "0a00001100420101a26464617461440011223364736c6f7403",
            frame: """
                06094142734b414141524145494241614a6b5a474630595551414553497a5a484e73623351444737773d \
                0a
                """),
    ]

    /// What a server that is built on the same package answered to "put".
    static let putResponse = "0b00000c00420101a264736c6f7403636c656e04"

    struct Dialogue: Sendable {
        let name: String
        let request: String
        let requestFrame: String
        /// Empty: the server kept silent.
        let responseFrame: String
        let response: String
    }

    /// From Zephyr 4.4.0's own server, native_sim.
    static let zephyr: [Dialogue] = [
        Dialogue(
            name: "params",
            request: "0800000100000006a0",
            requestFrame: "06094141734941414142414141414271427a45773d3d0a",
            responseFrame: """
                060941434d4a4141415a414141414272396f596e566d58334e70656d555a41594270596e566d58324e76 \
                645735304250392f62773d3d0a
                """,
            response: "0900001900000006bf686275665f73697a65190180696275665f636f756e7404ff"),
        Dialogue(
            name: "echo v2",
            request: "0a00000600000700a16164626869",
            requestFrame: "06094142414b4141414741414148414b46685a474a6f6153566b0a",
            responseFrame: "06094142454c4141414841414148414c3968636d4a6f616639766b673d3d0a",
            response: "0b00000700000700bf6172626869ff"),
        Dialogue(
            name: "echo v1",
            request: "0200000600000800a16164626869",
            requestFrame: "0609414241434141414741414149414b46685a474a6f6152664e0a",
            responseFrame: "0609414245444141414841414149414c3968636d4a6f61662f5167773d3d0a",
            response: "0300000700000800bf6172626869ff"),
        Dialogue(
            name: "unknown group 66 v2",
            request: "0a00000100420901a0",
            requestFrame: "06094141734b414141424145494a4161417868673d3d0a",
            responseFrame: "06094142414c414141474145494a41623969636d4d492f335a6c0a",
            response: "0b00000600420901bf62726308ff"),
        Dialogue(
            name: "unknown group 66 v1",
            request: "0200000100420a01a0",
            requestFrame: "060941417343414141424145494b416142424b513d3d0a",
            responseFrame: "060941424144414141474145494b41623969636d4d492f3156370a",
            response: "0300000600420a01bf62726308ff"),
        Dialogue(
            name: "unknown cmd 99 v2",
            request: "0800000100000b63a0",
            requestFrame: "060941417349414141424141414c5936423350513d3d0a",
            responseFrame: "06094142414a414141474141414c59373969636d4d492f3056470a",
            response: "0900000600000b63bf62726308ff"),
        Dialogue(
            name: "echo long 200 (2 frames)",
            request: """
                0a0000cd00000c00a1616478c87979797979797979797979797979797979797979797979797979797979 \
                797979797979797979797979797979797979797979797979797979797979797979797979797979797979 \
                797979797979797979797979797979797979797979797979797979797979797979797979797979797979 \
                797979797979797979797979797979797979797979797979797979797979797979797979797979797979 \
                797979797979797979797979797979797979797979797979797979797979797979797979797979797979 \
                797979
                """,
            requestFrame: """
                0609414e634b4141444e4141414d414b46685a486a4965586c3565586c3565586c3565586c3565586c35 \
                65586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c356558 \
                6c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c35 \
                0a041465586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c \
                3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565 \
                586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c \
                350a041465586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c3565586c356558 \
                6b424b773d3d0a
                """,
            responseFrame: "",
            response: ""),
        Dialogue(
            name: "bad crc",
            request: "0a00000600000d00a16164626869",
            requestFrame: "06094142414b414141474141414e414b46685a474a6f6141413d0a",
            responseFrame: "",
            response: ""),
        Dialogue(
            name: "truncated frame then good",
            request: "0a00000600000e00a16164626869",
            requestFrame:
                "06094142414b4141414706094142414b414141474141414f414b46685a474a6f615878740a",
            responseFrame: "",
            response: ""),
        Dialogue(
            name: "truncated frame + LF then good",
            request: "0a00000600000f00a16164626869",
            requestFrame:
                "06094142414b414141470a06094142414b4141414741414150414b46685a474a6f6154752b0a",
            responseFrame: "06094142454c4141414841414150414c3968636d4a6f6166394762513d3d0a",
            response: "0b00000700000f00bf6172626869ff"),
        Dialogue(
            name: "bad cbor",
            request: "0a00000200001000ffff",
            requestFrame: "06094141774b414141434141415141502f2f386f6f3d0a",
            responseFrame: "06094142414c4141414741414151414c3969636d4d442f2b2f390a",
            response: "0b00000600001000bf62726303ff"),
        Dialogue(
            name: "CR LF end",
            request: "0a00000600001100a16164626869",
            requestFrame: "06094142414b4141414741414152414b46685a474a6f615a67620d0a",
            responseFrame: "06094142454c4141414841414152414c3968636d4a6f6166396d35413d3d0a",
            response: "0b00000700001100bf6172626869ff"),
        Dialogue(
            name: "header len too long",
            request: "0a00006300001200a16164626869",
            requestFrame: "06094142414b4141426a41414153414b46685a474a6f615466500a",
            responseFrame: "06094142414c4141414741414153414c3969636d4d4a2f342b510a",
            response: "0b00000600001200bf62726309ff"),
        Dialogue(
            name: "settings write v2 (group err)",
            request: "0a00001500031300a2646e616d656770726f762f69646376616c420102",
            requestFrame: """
                06094142384b4141415641414d54414b4a6b626d46745a576477636d39324c326c6b59335a6862454942 \
                417645480a
                """,
            responseFrame: """
                06094142304c4141415441414d54414c396a5a584a797632566e636d393163414e69636d4d462f2f2b6e \
                56673d3d0a
                """,
            response: "0b00001300031300bf63657272bf6567726f75700362726305ffff"),
        Dialogue(
            name: "settings write v1 (group err)",
            request: "0200001500031400a2646e616d656770726f762f69646376616c420102",
            requestFrame: """
                0609414238434141415641414d55414b4a6b626d46745a576477636d39324c326c6b59335a6862454942 \
                416933410a
                """,
            responseFrame: "0609414241444141414741414d55414c3969636d4d422f3044640a",
            response: "0300000600031400bf62726301ff"),
        Dialogue(
            name: "alive",
            request: "0a00000600001500a16164626f6b",
            requestFrame: "06094142414b4141414741414156414b46685a474a766179366a0a",
            responseFrame: "06094142454c4141414841414156414c3968636d4a76612f385a2b513d3d0a",
            response: "0b00000700001500bf6172626f6bff"),
    ]
}
