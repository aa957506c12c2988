"""The words of the induction model: short names of things, in English and in Korean."""

_ENGLISH = """
    apple ant arm arrow axe baby bag ball banana bank bean bear bed bee bell belt bike bird boat book boot
    bottle bowl box boy bread bridge brush bus cake candle car card cat chair chalk cheese chicken clock cloud
    coat coin comb corn cow crab crow cup deer desk dish dog doll door dress drum duck eagle ear egg elbow eye
    face farm fence finger fire fish flag flower foot fork fox frog garden gate girl glass glove goat grape
    grass guitar hammer hand hat hen hill honey horse house ice ink island jar juice key king kite knee knife
    lake lamp leaf leg lemon lion lip map milk mirror monkey moon mouse mouth nail neck nest net nose nut onion
    orange oven owl paint pan paper park peach pear pen pig pillow plate pond potato rabbit rain ring river road
    rock roof rope rose salt sand shell ship shirt shoe
"""

_KOREAN = """
    사과 개미 팔 화살 도끼 아기 가방 공 바나나 은행 콩 곰 침대 벌 종 허리띠 자전거 새 배 책 장화 병 그릇 상자
    소년 빵 다리 붓 버스 케이크 양초 자동차 카드 고양이 의자 분필 치즈 닭 시계 구름 외투 동전 빗 옥수수 소 게
    까마귀 컵 사슴 책상 접시 강아지 인형 문 치마 북 오리 독수리 귀 달걀 팔꿈치 눈 얼굴 농장 담 손가락 불 물고기
    깃발 꽃 발 포크 여우 개구리 정원 대문 소녀 유리 장갑 염소 포도 풀 기타 망치 손 모자 암탉 언덕 꿀 말 집
    얼음 잉크 섬 항아리 주스 열쇠 왕 연 무릎 칼 호수 등불 잎 허벅지 레몬 사자 입술 지도 우유 거울 원숭이 달
    생쥐 입 못 목 둥지 그물 코 호두 양파 귤 화덕 부엉이 물감 냄비 종이 공원 복숭아 감 연필 돼지 베개 쟁반 연못
    감자 토끼 비 반지 강 길 바위 지붕 밧줄 장미 소금 모래 조개 나룻배 셔츠 신발
"""

ENGLISH = tuple(_ENGLISH.split())
KOREAN = tuple(_KOREAN.split())
