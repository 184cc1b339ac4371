# SPDX-License-Identifier: Apache-2.0
"""The hooks of heat-agents, so that one that is left is told from an operator's own.

heat-agents installs its hooks where operators put theirs. Each published version is
named here by its git blob id: of the repositories openstack/heat-agents and, before it,
openstack/heat-templates (``git log --all --raw --no-abbrev -- '*/install.d/hook-*.py'``).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

# More than any of them has, in bytes: a larger file is not read.
LARGEST = 65_536


def is_of_heat_agents(path: Path) -> bool:
    """Whether a file is a hook of heat-agents, unchanged."""
    try:
        if path.stat().st_size > LARGEST:
            return False
        return blob_id(path.read_bytes()) in _BLOBS
    except OSError:
        return False


def blob_id(content: bytes) -> str:
    """The id that git gives a file of this content."""
    header = b"blob %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()


_BLOBS = frozenset(
    {
        # ansible
        "0cf83e42a9c982a1128350fab63ce07647d00868",
        "1dd0a7881ea4dda8629a75bbcfde0f344a44cac1",
        "26b3be9cbb6f04c6856f2fc8e1c76add83ce32dc",
        "2a46c7f8875cec25effb85c9d7b31859d7ddf3db",
        "37a3ad47962ba34ca7974ff4a7c75720161d3f2f",
        "419c2814999e693679aec345067ca3835fe95729",
        "426ee54434a0b493858dcb0d66536866b7908f5d",
        "47ca8098ca2e084afd1cda11d17e0c48bb2b6639",
        "4f5577f81398f2382700b8d1146bec3d62bec64b",
        "53190f87c3cdb8f222c51bda7010af33a8d58158",
        "6192b8d7935276dee0ac861d8c8e098005f9c92a",
        "67336fbdb105081bb985a7bfa82e6dcc2c029100",
        "972bd3210e63794aa54e5d31e0ea6b20cebbe0b9",
        "a2a78e3882f1494426fd601f1d0f25f34d0c26cc",
        "a716abf04a4b05de990801fae99b989c21ba0ab1",
        "b07d1828c39ad52e1b008cb6233f72d130c8f376",
        "b1dbddc03d93c9a19e0af70bda7b2a32fb32dc60",
        "b537e11936e422ce583d001587c12d6d30ec7dc3",
        "c244a0ab00b732a13d87d2240c42e6551bfb501d",
        "c48c3322bd375eb683851f087166a283a0498c43",
        "dd92b56ac17ebe276d2607ec32ef4034e6032254",
        # apply-config
        "8e4230c4e13d1431affa6c6f727161df7330b47d",
        "a48209daf86319c99e079a0175015c412e00869f",
        "ba1d8d0334c651b7ba996d0b87588f5a84948f92",
        "df29cb29971f105880740761a485757fad060a71",
        "f82a619448f2d1e4fa8957c34a134f2f5fd14f14",
        # cfn-init
        "0f8ce9f102135ebefbbcf7c3e735bfc86282b188",
        "7aa1a9ca2313cb7645ce34d5850f6f4038dde4fa",
        "7eeb1d4a1039138cb36104c6fa1591a5bc698f00",
        "94e2f679c8e9b5dd0244c89c55f353b897eaaca9",
        "a5558c300a68ba7e80896ed5844a62d481b97c5b",
        "bcbafc9bfd5dd352e1737702d55cee1a0543c369",
        "d1531e6fc6c64859b505b42c2e1b02777de34db7",
        "f5d859c74037ad99ff24b89dd410eefb1bcb037c",
        # chef
        "3a4d8105fb6e648cc1d884fe20f79abf037deff3",
        "41ef4e73829abbab288cff9de13a2e952c9003b9",
        "61743a80bd79b1aed6d6d5bb5fda491741827674",
        "70e4b3301d5d0cdb9e54341adff211b6117439cb",
        "baeae3f14db160c6715ec1ab25f0a5fd5cb4dd83",
        "f1429822984ae2af4ff57bb63adea8059ac63dc1",
        # docker-cmd
        "14426c7b5ec0e8c1cb462e524ccbb8275321fade",
        "16a9a5526808c48d2e542bf70c0bae10641a2ff8",
        "16e1da62eb010170fd155ddbd4050a28922a676c",
        "189938cd500bed712f59e6d1af77db4bc183f534",
        "22eeeaabeae2c3cb84843d6bad25dee4487eca26",
        "2af61d5fc8d6b5e5a7d8b51f516ccc14bded3ad2",
        "4235454f7f867596d3a84988fb2a5959a84f96e3",
        "43fbe39650e654ac842c0af5ed0bbf1551c2be91",
        "4787e0e80a40dde492dd947c4ad30394291c70f3",
        "4fb0c54e4d8e0ddf5886bafd826a2f4007f5137e",
        "5c72fc8bfaf95c13b5b7c482febcd18464afd3c0",
        "6155434aed179aa0542e7abf66b705e15f7ae3c1",
        "6285c04acba82588a04bef7ef4c0f19b46b2e2c2",
        "84ab71f0cb3126c05bf452bde942635c17362c72",
        "8e9e89fddb2191e01bef140dc7ea9ea157da2bc9",
        "9a285d79e490a9ba7d5deecea1754d7089f3aa7b",
        "a14fe692625ad40713a7649d92904e81c678d278",
        "abd0f98efe7f5317722811e62b6a24b4412d5ad2",
        "ae028875ccd207bd73652668aca688672b6832d8",
        "b60e55cf8e06abfbc9949a44e18c2ce1d1ffbca6",
        "bd4f73d0af6c533a17e9aa7588cadbf57600e9bb",
        "c30f7beb583aa3941e278edc01b9b51dde7cbcb9",
        "dcc0bc200d5aed0a25a0602d6fd0c852d5c986df",
        "dda7bc26b759e421f938b144e6e8b06d81e9d3cb",
        # docker-compose
        "0ccd51a4f5289d93cf3f180239c54c044ea25f55",
        "2e2b4d778bb7c56906e4465d6d04222f962b249b",
        "41219efb1645bacaed995679630cb2226cb0d300",
        "62c011338b512d2e0ddb8f1f591377e68b27fec2",
        "91d586a240ccccefb80f1404ef9a0fb0579eb54f",
        "9afefdac1fbf2f6da1dece18fa1a2c722566f55c",
        "a73ec2731e42073caf73ced7d16d7cbf83081e02",
        "c2ea093e3920edcf7e2c74417c6efadd2692eed7",
        "c43df4d221e3cc4872de298832bcb81b3755af7b",
        "d2ee17f31a1c4bdb578e6c6259905c24d8d48aa6",
        "d7472fe5130b0ffd678650bd1d64a585fa31357d",
        "da291f67e2cd928e3cf84db9a7760d3fc415b2fb",
        "f73332e109277d1fe9c037b17729890aa7bbae7a",
        # hiera
        "077559bab8e3db3585d6aa32ed2be762ad00dd45",
        "4886934f3c2f3ef5409878fa23bc72eb1286233a",
        "87ea4d0f0141dafa6fcc130a4878ded191348642",
        "a0c30afbbaed76c889cd9abea6f58a4838dd5408",
        "adc6abab1219e09d31bfb19cd758e789badf8749",
        "d8b905962bbf095ff6593838cc79b5a5adeba635",
        "db69f69c517e2693222080862db52abfaa3fbdc5",
        "e94ac3e4ab8d18d618f47be3333c1f3ee108ca03",
        # json-file
        "22fa2e73f37211589295c183c7755b6b4c5cda30",
        "57c9a79268f83986e468c92247c785d970878d45",
        "6679735a541ce956f6db8a70a0712f00cdd86733",
        "7b69744e8110d5515517f1c1431bc97cea859e07",
        "84c13f8b073836669c3d36d36840b71844fa1382",
        "a029135e588f1ca2eeb5ac885e312691fd4be58c",
        # kubelet
        "29854a6a58f9c19730408a323d43da9190a312e5",
        "663454551e227e59309a4d2a0c14c1b7d73b225b",
        "6ef747af9ba6b827986c611d1a98072b937eb3aa",
        "72ff0f9786e8575f391c61f04c78de1233aa7318",
        "bd1316694aca504e8b00fa5676218a55fbc68ab0",
        "ca50509f6fa0952a01f5a93860fa9af7820aa05a",
        "e159367f6b506cdc4f08f9285302617dd901062e",
        "eee08c1cd4081048a094d7528a313414890d20af",
        # puppet
        "0171e1f35e187970ec35ba6765c3550f5ac56389",
        "02b867adf9920961778d0e0efbcf0f9c8bbd40ec",
        "134eb7740301bddacffb7488acf5f13d9d4c0167",
        "1a31bc52a93e723de5b8fbd409d7c0e186e49082",
        "1b1ebf0b2ec36d3b28bf42230f740cf5be3717bd",
        "25632cf165f76fe8fee102c86885bf76cc6a36e1",
        "29a6b63fcbb272e56c402602daa016333d5b22fd",
        "3462401bca454f96281e1921905fd6097f796f30",
        "516a2207447661ad0b87dc2bee306882e101b455",
        "6b5b5bcd0a86470b7fe0403ad5e2d8dd9dcad4d0",
        "b5b1614bd3b24585a0669d1a099ef05c41aecc23",
        "cb418cea76f9edf702ebcdf98b864c49997677a8",
        "d61c06806c7962f761b5213538ca789d8e7b3b61",
        "ec4a7866713565a85cb7c4d034ad4fa29725ab6a",
        "eefdf4250c71b39b5bb23c0f7ce67b4df5ee3355",
        "ef46059bf0a82d6e4d6b98ee7fc580e90e3d0780",
        "f1274e281d9f28776a44ab4c1fbc2c8c034b4a37",
        # salt
        "14a8611d85c90e2a5b9d51b4a1989a37be055ec1",
        "1d08cfcecd8db5bc130af04b6689727d6ea69dd7",
        "3044d7859256d37dc851f777b72083b4f2be90ff",
        "55fb439a5bb5407ce5beb8bd10684bb4557d8004",
        "7907df11ade5d1fee3e31a3b391f15eccbb33ed0",
        "81e4815b5217dbb0ea6491431e203b568c1b99ad",
        "8c837d4ae977c92e1ca434097233abc9a2591256",
        "a2b34070688d0dee559feb3e7ff494fe033147d9",
        "a777ebbc5aadaabb879343437e4871c13b13a0d6",
        "d4043e1d97177fd2a131e335ce7d8aebcef98978",
        # script
        "064aef5464c50a250e9d2d3302790e9124c7ea71",
        "0c9a92fe0cbfb0907514a31c9bf4e8f0095c3478",
        "133720ce79cf024940bfec82195ef2d71312abf2",
        "4403ccb0129753153474d60546e0ab8716e7961e",
        "5c9cb4dc003e094bd5606ace2c69242e9bcde534",
        "94b3a178eea9f1fa372c294466d53e659801f17c",
        "b7399b3372cc198c4617b75496412972b5061754",
        "ed918c7ba7a5ac65e967c15cb0b4452ac84428d1",
    }
)
